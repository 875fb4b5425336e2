"""Closed sets of values that the store adds to those of the model."""

from enum import StrEnum

PSEUDONYM = "forgotten-{}@forgotten.invalid"
"""Replaces a forgotten person's address. The top-level domain is reserved (RFC 2606)."""


class MessageState(StrEnum):
    """How far the processing of a message got.

    `seen`: reading failed and will be retried. `stored`: its rows are committed, but the move in the
    mailbox is not confirmed. `filed`, `quarantined`: moved. `left`: not a report, so it is not moved.
    """

    SEEN = "seen"
    STORED = "stored"
    FILED = "filed"
    QUARANTINED = "quarantined"
    LEFT = "left"


class QuarantineState(StrEnum):
    QUARANTINED = "quarantined"
    REQUEUED = "requeued"


class Change(StrEnum):
    """How a recorded finding changed the incidents."""

    OPENED = "opened"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class By(StrEnum):
    """Values that bounces can be counted by."""

    SENDER = "sender"
    DOMAIN = "domain"
    CAUSE = "cause"
    CODE = "code"
    OWNER = "owner"
    RECIPIENT = "recipient"


class Order(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"


class Sort(StrEnum):
    """Columns that a list of bounces can be sorted by."""

    WHEN = "when"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DOMAIN = "domain"
    CAUSE = "cause"
    CODE = "code"
    OWNER = "owner"
