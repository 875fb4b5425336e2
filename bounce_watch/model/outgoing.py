"""Messages that we write, before they are turned into bytes."""

from dataclasses import dataclass
from enum import StrEnum


class LetterKind(StrEnum):
    """The kind of a message. A probe is meant to bounce, for `check --probe`.

    `question`: to support, with a colleague's reply or about letters that do not help.
    `confirmation`: to an admin who replied to an alert.
    `owner` tells who looks after an address that no person reads about its bounces.
    """

    REPLY = "reply"
    OWNER = "owner"
    ALERT = "alert"
    DIGEST = "digest"
    PROBE = "probe"
    QUESTION = "question"
    CONFIRMATION = "confirmation"


GUIDANCE = frozenset({LetterKind.REPLY, LetterKind.OWNER})
"""Kinds that tell colleagues what to do: held in preview, never sent twice, behind security alerts."""


class OutboxState(StrEnum):
    """States of a row in the outbox. `held` waits for an admin, `unknown` may have been sent."""

    PENDING = "pending"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message to one person. `event_key` is unique in the outbox, so that no event sends two.

    `in_reply_to` is the Message-ID of the person's own message, None unless it passed a strict check.
    `reply_to` is a person whom we wrote to, None for the address that the configuration names.
    `is_urgent` marks it as important for mail clients.
    """

    kind: LetterKind
    event_key: str
    to: str
    subject: str
    text: str
    html: str
    language: str = "en"
    in_reply_to: str | None = None
    is_urgent: bool = False
    reply_to: str | None = None
