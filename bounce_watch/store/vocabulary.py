"""The closed sets of words that the store adds to the model's."""

from enum import StrEnum


class MessageState(StrEnum):
    """How far a message came.

    `seen`: reading it was tried and failed, it will be tried again. `stored`: its rows are committed,
    the move in the mailbox is not confirmed. `filed`, `quarantined`: moved. `left`: no report, it
    stays where it is.
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
    """What recording a finding did to the incidents."""

    OPENED = "opened"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class By(StrEnum):
    """What bounces can be counted by."""

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
    """What a list of bounces is sorted by."""

    WHEN = "when"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DOMAIN = "domain"
    CAUSE = "cause"
    CODE = "code"
    OWNER = "owner"
