"""The files for a support case: timeline, codes, commands and sample reports, redacted on request."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from bounce_watch.classify import Catalogue
from bounce_watch.cli.common.redaction import Redaction
from bounce_watch.notifications.alert.steps import FilledStep, fill
from bounce_watch.notifications.rendering.refusal_details import evidence_lines
from bounce_watch.notifications.rendering.safe_text import for_terminal
from bounce_watch.store import BounceRow, IncidentDetail

_MAX_SAMPLES = 10
_BOUNCE_FACTS = (
    "status", "reply_code", "remote_status", "remote_reply_code", "remote_mta", "diagnostic_code",
    "cause", "owner", "side", "evidence", "why",
)  # fmt: skip

README = """\
{name}: {title}

This folder was written by bounce_watch for a support case.

timeline.txt  what happened when (all times are UTC)
codes.txt     how often which code was seen, what it means, and one server's words for it
commands.txt  the steps and PowerShell commands for this incident, and traces of single mails
samples.json  the facts of up to {most} reports; samples.txt says the same for people

The mails themselves are not here: bounce_watch stores what a report says, not its bytes. Only a report
that could not be read is kept whole, in the quarantine. To get the original of a report look it up in the
mailbox by the Message-ID in samples.json.
{redacted}"""
REDACTED = """
Addresses and domains are replaced. The same name means the same address or domain throughout this folder;
common providers, IP addresses and Microsoft's server names stay. Subjects are left out. The commands work
only after you have put the real values back.
"""


def pack_files(
    detail: IncidentDetail, steps: Iterable[FilledStep], catalogue: Catalogue, *, redact: bool
) -> dict[str, str]:
    incident, samples = detail.incident, _samples(detail.bounces)
    facts = [_facts(row, redact=redact) for row in samples]
    files = {
        "README.txt": README.format(
            name=incident.name,
            title=incident.finding.title,
            most=_MAX_SAMPLES,
            redacted=REDACTED if redact else "",
        ),
        "timeline.txt": _lines(_timeline(detail)),
        "codes.txt": _lines(_codes(detail.bounces, catalogue)),
        "commands.txt": _lines(_commands(steps, samples)),
        "samples.json": json.dumps(facts, indent=2, ensure_ascii=True) + "\n",
        "samples.txt": _lines(line for row in samples for line in _sample(row, redact=redact)),
    }
    if not redact:
        return files
    redaction = Redaction(_domains(detail))
    return {name: redaction.text(content) for name, content in files.items()}


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write the files into a new folder that only its owner can read."""
    folder.mkdir(mode=0o700, parents=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{for_terminal(line).rstrip()}\n" for line in lines)


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "unknown time      "


def _samples(rows: tuple[BounceRow, ...]) -> list[BounceRow]:
    """Return the first report of each code and the newest others, by time."""
    first = {row.bounce.code: row for row in reversed(rows)}
    chosen = dict.fromkeys([*(row.id for row in first.values()), *(row.id for row in reversed(rows))])
    wanted = set(list(chosen)[:_MAX_SAMPLES])
    return [row for row in rows if row.id in wanted]


def _timeline(detail: IncidentDetail) -> list[str]:
    events = [
        (change.at, f"{detail.incident.name} {change.change} by {change.by}. {change.note}")
        for change in detail.changes
    ]
    for row in detail.bounces:
        bounce = row.bounce
        said = f"{bounce.sender} -> {bounce.recipient}: {bounce.code} at {bounce.remote_mta or 'our servers'}"
        events.append((bounce.occurred_at or row.recorded_at, said))
    return [f"{_time(at)}  {text}" for at, text in sorted(events, key=lambda event: event[0])]


def _codes(rows: tuple[BounceRow, ...], catalogue: Catalogue) -> Iterable[str]:
    meanings = {row.name: row for row in catalogue.rows}
    counts = Counter((row.bounce.code or "none", row.bounce.entry) for row in rows)
    for (code, entry), count in counts.most_common():
        meaning = meanings.get(entry or "")
        yield f"{count} x {code}: {meaning.title if meaning else 'not in the catalogue'}"
        yield f"    {meaning.source}" if meaning else "    no source"
        words = next(row.bounce.diagnostic_code for row in rows if (row.bounce.code or "none") == code)
        yield f"    {words or 'no words'}"
        yield ""


def _commands(steps: Iterable[FilledStep], samples: list[BounceRow]) -> Iterable[str]:
    for place, step in enumerate(steps, 1):
        yield f"# {place}. {step.text}"
        yield from [f"# Where: {step.where}"] if step.where else []
        yield from (line for command in step.commands for line in command.splitlines())
        yield ""
    yield "# Traces of the samples"
    for row in samples:
        if row.original_message_id:
            yield fill("Get-MessageTraceV2 -MessageId <id>", {"id": row.original_message_id})


def _facts(row: BounceRow, *, redact: bool) -> dict[str, Any]:
    bounce = row.bounce
    return {
        "id": row.id,
        "occurred_at": bounce.occurred_at.isoformat() if bounce.occurred_at else None,
        "sender": bounce.sender,
        "recipient": bounce.recipient,
        "subject": None if redact else row.subject,
        "message_id": row.original_message_id,
        **{name: getattr(bounce, name) for name in _BOUNCE_FACTS},
        "details": bounce.details.as_mapping() if bounce.details else {},
    }


def _sample(row: BounceRow, *, redact: bool) -> Iterable[str]:
    known = _facts(row, redact=redact)
    yield from (f"{name}: {value}" for name, value in known.items() if value and name != "details")
    yield from evidence_lines(row.bounce.details)
    yield ""


def _domains(detail: IncidentDetail) -> set[str]:
    known = {row.bounce.sender_domain for row in detail.bounces}
    known |= {row.bounce.recipient_domain for row in detail.bounces}
    known |= set(detail.incident.finding.recipient_domains)
    return {domain for domain in known if domain}
