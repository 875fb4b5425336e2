"""A fingerprint that is equal for all copies of a report: delivered twice, journaled, attached."""

from collections.abc import Iterable
from hashlib import sha256
from json.encoder import encode_basestring_ascii

from bounce_watch.model import OriginalMessage, RecipientFields
from bounce_watch.unwrap import FoundReport


def fingerprint_of(
    report: FoundReport,
    message_id: str | None,
    recipients: tuple[RecipientFields, ...],
    original: OriginalMessage,
) -> str:
    """Return the SHA-256 (hex) of what a report says, not of its raw bytes, which Exchange rewrites."""
    facts = [
        _json(message_id),
        _json(" ".join((report.headers.first("date") or "").split())),
        _json(report.headers.address("from")),
        _list(_list(map(_json, entry)) for entry in sorted(map(_entry, recipients))),
        _json(original.message_id),
    ]
    if message_id is None:
        facts.append(_json(sha256(" ".join(report.text.split()).encode()).hexdigest()))
    return sha256(_list(facts).encode()).hexdigest()


def _json(text: str | None) -> str:
    """Write one value as `json.dumps` does, which is slow for so few values."""
    return "null" if text is None else encode_basestring_ascii(text)


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(values)}]"


def _entry(entry: RecipientFields) -> list[str]:
    diagnostic = " ".join((entry.diagnostic_code or "").split())
    action = entry.action.value if entry.action else ""
    return [
        entry.final_recipient or "",
        entry.original_recipient or "",
        action,
        entry.status or "",
        diagnostic,
    ]
