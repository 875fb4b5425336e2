"""The section "Diagnostic information for administrators" of Exchange 2007 and later, in any language.

Below a label stand an address and what the server said about it: `#550 5.1.1 RESOLVER...; not found ##`,
`host #<host #5.7.1 smtp;530 5.7.1 ...> #SMTP#`, `Remote Server returned '550 5.1.1 ...'`, with dated lines
`8/22/2017 8:05 PM - Server at HOST (IP) returned '550 5.4.316 ...'`, the newest first.
"""

import re
from dataclasses import dataclass, field

from bounce_watch.model import Action, RecipientFields
from bounce_watch.model.address import normalise
from bounce_watch.parse.fields import ReportFields, read_recipient
from bounce_watch.parse.formats._exchange import action_of, read_appended, split_headers
from bounce_watch.parse.smtp_reply import MAX_TEXT, find_codes
from bounce_watch.unwrap import FoundReport
from bounce_watch.unwrap.fast_patterns import LineStartPattern

NAME = "exchange_diagnostic"

# In lower case, as they are looked for.
_SECTIONS = (
    "diagnostic information for administrators",
    "diagnoseinformationen für administratoren",
    "informations de diagnostic pour les administrateurs",
    "informazioni di diagnostica per gli amministratori",
    "diagnostische gegevens voor beheerders",
    "informações de diagnóstico para administradores",
    "información de diagnóstico para administradores",
    "diagnostisk information för administratörer",
    "diagnoseoplysninger til administratorer",
    "diagnostikkinformasjon for administratorer",
    "järjestelmänvalvojien diagnostiikkatiedot",
    "informacje diagnostyczne dla administratorów",
    "yöneticiler için tanılama bilgileri",
    "диагностические сведения для администраторов",
    "管理者向けの診断情報",
    "用于管理员的诊断信息",
    "給系統管理員的診斷資訊",
    "información de diagnóstico para los administradores",
)
_SERVER = LineStartPattern(
    r"[ \t]{0,8}(?:Generating server|Server di generazione|Bronserver|Servidor de origem"
    r"|Generierender Server|Serveur de génération|Servidor de generación)[ \t]{0,4}:[ \t]{0,20}(\S{1,255})",
    re.IGNORECASE,
)
_ADDRESS_LINE = re.compile(
    r"[ \t]{0,8}<?([^\s<>:;,()']{1,320}@[^\s<>:;,()']{1,255})>?(?:<mailto:[^<>\s]{1,320}>)?[ \t]{0,8}"
)
_HOST_OF_REPLY = re.compile(r"\b(?:Server at|Serveur à|Server auf) (\S{1,255}) ", re.IGNORECASE)
_HOST_LINE = re.compile(r"[ \t]{0,8}((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})[ \t]{0,8}", re.IGNORECASE)
_QUOTED_REPLY = re.compile(r"['‘\"«]\s?([245]\d\d[ -]?[^\n]{0,2000}?)['’\"»]?\s{0,4}$")


@dataclass(slots=True)
class _Entry:
    """One address with the lines that follow it; the first may be the name of the remote server alone."""

    address: str
    host: str | None = None
    lines: list[str] = field(default_factory=list)


def read(report: FoundReport) -> ReportFields | None:
    return _read_text(report.text) or _read_text(report.html_text)


def _read_text(text: str) -> ReportFields | None:
    start = _section_start(text)
    if start is None:
        return None
    body, headers = split_headers(text)
    server = _SERVER.search(body)
    action = action_of(body)
    entries = tuple(_recipient(entry, action) for entry in _entries(body[start:]) if entry.lines)
    if not entries:
        return None
    return ReportFields(
        recipients=entries,
        reporting_mta=server[1] if server else None,
        returned=read_appended(headers),
    )


def _section_start(text: str) -> int | None:
    """Return where the section begins, by its label or by that of the generating server."""
    lowered = text.lower()
    for label in _SECTIONS:
        if label in lowered:
            return lowered.find(label) + len(label)
    server = _SERVER.search(text) if "serv" in lowered else None
    return server.end() if server else None


def _entries(section: str) -> list[_Entry]:
    """Group the lines of the section: an address alone on a line opens an entry."""
    entries: list[_Entry] = []
    for line in section.split("\n"):
        if match := _ADDRESS_LINE.fullmatch(line):
            entries.append(_Entry(normalise(match[1])))
        elif entries and not entries[-1].lines and (match := _HOST_LINE.fullmatch(line)):
            entries[-1].host = match[1]
        elif entries and (find_codes(line).status or find_codes(line).reply_code):
            entries[-1].lines.append(line.strip()[:MAX_TEXT])
    return entries


def _recipient(entry: _Entry, action: Action) -> RecipientFields:
    """Take the newest line that is final; the lines stand newest first."""
    final = next((line for line in entry.lines if _is_final(line)), entry.lines[0])
    host = _HOST_OF_REPLY.search(final)
    remote = host[1] if host else entry.host
    return read_recipient(final=entry.address, action=action, diagnostic=_reply(final), remote_mta=remote)


def _is_final(line: str) -> bool:
    codes = find_codes(line)
    return (codes.status or codes.reply_code or "").startswith("5")


def _reply(line: str) -> str:
    """Return the server's reply within a line: in quotation marks, or between the first and the last `#`."""
    match = _QUOTED_REPLY.search(line)
    if match:
        return match[1].strip()
    hashed = line[line.find("#") + 1 : line.rfind("#")].strip("# ")
    return hashed.removesuffix("SMTP").strip("<># ") or line
