"""The head of a mail as a person sees it: names, subject, date, hops. The one module that knows mail-parser.

For people only: nothing is decided by these values, and they are escaped where they are shown.
"""

import logging
from dataclasses import dataclass
from typing import Any

from bounce_watch.unwrap import read_headers
from bounce_watch.unwrap.mime.outlook_item import as_mail

MAX_HEAD = 64 * 1024
MAX_HOPS = 20
MAX_TEXT = 300

# It writes remarks about every odd mail to stderr.
logging.getLogger("mailparser").disabled = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """Absent values are None. `hops` names the servers the mail came through, the first one first."""

    sender: str | None
    to: str | None
    subject: str | None
    date: str | None
    hops: tuple[str, ...]


def letterhead(raw: bytes) -> Letterhead | None:
    """Return the head of a mail, None when mail-parser cannot read it. It gets the header block only."""
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
    except Exception:  # noqa: BLE001 - three of our hostile mails make it raise, not all of them its own errors
        return None


def _people(pairs: Any) -> str | None:
    return _text(", ".join(f"{name} <{address}>" if name else str(address) for name, address in pairs or ()))


def _hop(hop: Any) -> str:
    return (
        _text(f"{hop.get('from') or 'unknown'} -> {hop.get('by') or 'unknown'}, {hop.get('date_utc')}") or ""
    )


def _text(value: Any) -> str | None:
    return str(value)[:MAX_TEXT] if value else None
