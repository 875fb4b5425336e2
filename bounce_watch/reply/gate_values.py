"""What the gate is asked with, and what it answers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bounce_watch.model import Action, Cause, Evidence, Kind, LetterKind, Site
from bounce_watch.reply.reasons import Reason


class Mode(StrEnum):
    """What becomes of replies: none, held in the outbox until released, sent."""

    OFF = "off"
    PREVIEW = "preview"
    ON = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A letter that somebody wants to write.

    Alerts and digests need only `kind`, `to` and `event_key`; the rest tells what the report said.
    `own_mark`: the report or the returned mail carries a mark that `is_own_mark` recognised.
    `automatic` names the returned mail's header fields that mark it as written by a machine.
    `original_sender` and `original_recipients` are the returned mail's From and To.
    `received_at` is the arrival in the watched mailbox (UTC), None when unknown.
    `known_robot`: the site knows that nobody reads there; the form of the address is looked at anyway.
    """

    kind: LetterKind
    to: str | None
    event_key: str
    cause: Cause = Cause.UNKNOWN
    evidence: Evidence | None = None
    report_kind: Kind = Kind.FAILURE
    action: Action | None = Action.FAILED
    own_mark: bool = False
    automatic: tuple[str, ...] = ()
    original_sender: str | None = None
    original_recipients: tuple[str, ...] = ()
    received_at: datetime | None = None
    known_robot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was written before, counted by the store. Counts are of replies that left or may still leave.

    `last_reply_at` is the newest reply to the same person about the same cause (UTC), None for none.
    `breaker_latched`: the rate was exceeded before and no admin has cleared it yet.
    `backlog_until`: what arrived before lay there at the first run; its answers wait for a person.
    """

    event_key_known: bool = False
    last_reply_at: datetime | None = None
    replies_to_person_24h: int = 0
    mails_last_minute: int = 0
    mails_last_hour: int = 0
    breaker_latched: bool = False
    backlog_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the configuration allows. `from_address` is the sender of all our mail."""

    site: Site
    from_address: str
    mode: Mode = Mode.PREVIEW
    again_after: timedelta = timedelta(days=7)
    per_person_per_day: int = 3
    per_minute: int = 20
    per_hour: int = 200
    not_older_than: timedelta = timedelta(hours=48)
    never_to: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The letter may go to the outbox. `hold`: as a preview that a person must release."""

    hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The letter is not written. `reason` is stored, `text` is one plain sentence for the digest."""

    reason: Reason
    text: str
