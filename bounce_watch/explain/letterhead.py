"""The head of a message as people see it: names, subject, date, hops. Only this module imports mail-parser.

These values decide nothing, and are escaped where they are shown.
"""

import logging
from dataclasses import dataclass
from typing import Any

from bounce_watch.unwrap import read_headers
from bounce_watch.unwrap.mime.outlook_item import as_mail

MAX_HEAD = 64 * 1024
MAX_HOPS = 20
MAX_TEXT = 300

# It writes a remark to stderr about every odd message.
logging.getLogger("mailparser").disabled = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """Absent values are None. `hops` names the servers that relayed the message, the first one first."""

    sender: str | None
    to: str | None
    subject: str | None
    date: str | None
    hops: tuple[str, ...]


def letterhead(raw: bytes) -> Letterhead | None:
    """Return the head of a message, None if mail-parser can't read its header block."""
    import mailparser

    raw = as_mail(raw) or raw
    _, end = read_headers(raw)
    try:
        mail = mailparser.parse_from_bytes(raw[: min(end, MAX_HEAD)])
        return Letterhead(
            sender=_people(mail.from_),
            to=_people(mail.to),
            subject=_text(mail.subject),
            date=_text(mail.date),
            hops=tuple(_hop(hop) for hop in (mail.received or [])[:MAX_HOPS]),
        )
    except Exception:  # noqa: BLE001 - it raises several kinds of errors on hostile messages
        return None


def _people(pairs: Any) -> str | None:
    return _text(", ".join(f"{name} <{address}>" if name else str(address) for name, address in pairs or ()))


def _hop(hop: Any) -> str:
    return (
        _text(f"{hop.get('from') or 'unknown'} -> {hop.get('by') or 'unknown'}, {hop.get('date_utc')}") or ""
    )


def _text(value: Any) -> str | None:
    return str(value)[:MAX_TEXT] if value else None
