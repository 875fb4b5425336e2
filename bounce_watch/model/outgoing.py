"""Mail that we write: composed, not yet frozen into bytes."""

from dataclasses import dataclass
from enum import StrEnum


class LetterKind(StrEnum):
    """What a mail of ours is. A probe is meant to bounce: `check --probe` looks at what comes back."""

    REPLY = "reply"
    ALERT = "alert"
    DIGEST = "digest"
    PROBE = "probe"


class OutboxState(StrEnum):
    """States of a row in the outbox. `held` waits for a person, `unknown` may have been sent."""

    PENDING = "pending"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail to one person. `event_key` is unique in the outbox: the same event never writes twice.

    `in_reply_to` is the Message-ID of the person's own mail, None unless it passed the strict check.
    """

    kind: LetterKind
    event_key: str
    to: str
    subject: str
    text: str
    html: str
    language: str = "en"
    in_reply_to: str | None = None
