"""A name for a report that is equal for all its copies: delivered twice, journalled, attached."""

import json
from hashlib import sha256

from bounce_watch.model import OriginalMessage, RecipientFields
from bounce_watch.unwrap import Wrapped


def fingerprint_of(
    wrapped: Wrapped,
    message_id: str | None,
    recipients: tuple[RecipientFields, ...],
    original: OriginalMessage,
) -> str:
    """Return the SHA-256 (hex) of what a report says; never of its raw bytes, which Exchange rebuilds."""
    facts: list[object] = [
        message_id,
        " ".join((wrapped.headers.first("date") or "").split()),
        wrapped.headers.address("from"),
        sorted(map(_entry, recipients)),
        original.message_id,
    ]
    if message_id is None:
        facts.append(sha256(" ".join(wrapped.text.split()).encode()).hexdigest())
    return sha256(json.dumps(facts, ensure_ascii=True).encode()).hexdigest()


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
