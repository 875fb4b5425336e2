"""Input and result of the gate, and the reasons for not writing a message with their texts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bounce_watch.model import Action, Cause, Evidence, Kind, LetterKind, Site
from bounce_watch.notifications.translatable import N_


class Reason(StrEnum):
    """Why a message was not written, in the order of the checks. Stored, and counted in the digest."""

    OWN_BOUNCE = "own_bounce"
    NOT_A_REPORT = "not_a_report"
    NOT_A_FAILURE = "not_a_failure"
    BACKSCATTER = "backscatter"
    EVIDENCE = "evidence"
    NOT_PLAIN_ADDRESS = "not_plain_address"
    OUTSIDE_DOMAIN = "outside_domain"
    REWRITTEN_ADDRESS = "rewritten_address"
    OWN_ADDRESS = "own_address"
    NEVER_TO = "never_to"
    ROBOT = "robot"
    AUTOMATIC_ORIGINAL = "automatic_original"
    SELF_ADDRESSED = "self_addressed"
    TOO_OLD = "too_old"
    SWITCHED_OFF = "switched_off"
    REPEATED = "repeated"
    RECENTLY_TOLD = "recently_told"
    PERSON_LIMIT = "person_limit"
    BREAKER = "breaker"
    RATE_LIMIT = "rate_limit"
    UNCERTAIN = "uncertain"
    SAME_LETTER = "same_letter"
    SAME_MESSAGE = "same_message"
    OWNER_TOLD = "owner_told"


UNREAD = frozenset({Reason.REWRITTEN_ADDRESS, Reason.ROBOT, Reason.AUTOMATIC_ORIGINAL})
"""Reasons that mean: no person reads an answer there. Who looks after the address can be told instead."""

SENTENCES: dict[Reason, str] = {
    Reason.OWN_BOUNCE: "One of our own notifications bounced. Those never get a reply.",
    Reason.NOT_A_REPORT: "The message doesn't report a failed delivery.",
    Reason.NOT_A_FAILURE: "The message was only delayed, or it was delivered.",
    Reason.BACKSCATTER: "Our Exchange Online says that the sender was spoofed.",
    Reason.EVIDENCE: "The report may be spoofed: no evidence shows that it is about a message from us.",
    Reason.NOT_PLAIN_ADDRESS: "The address is missing or has an unusual form.",
    Reason.OUTSIDE_DOMAIN: "The address isn't in one of our domains.",
    Reason.REWRITTEN_ADDRESS: "The address was made by a forwarding or mailing system, not by a person.",
    Reason.OWN_ADDRESS: "The address belongs to bounce_watch itself or to its admins.",
    Reason.NEVER_TO: "The configuration excludes this address from replies.",
    Reason.ROBOT: "The address is unattended: it is a role or system account.",
    Reason.AUTOMATIC_ORIGINAL: "A program or mailing list wrote the message that bounced.",
    Reason.SELF_ADDRESSED: "The message was addressed to its own sender or to us.",
    Reason.REPEATED: "This bounce was already processed.",
    Reason.RECENTLY_TOLD: "The sender was notified about the same problem recently.",
    Reason.PERSON_LIMIT: "The sender already got the maximum number of replies for one day.",
    Reason.BREAKER: "Too many messages were due at once. Replies wait until an admin resets the limit.",
    Reason.RATE_LIMIT: "The limit of messages per minute or per hour is reached.",
    Reason.UNCERTAIN: "It may have been sent when the connection ended. It isn't sent again.",
    Reason.SAME_LETTER: "One reply tells the sender about several bounces.",
    Reason.SAME_MESSAGE: "The same message held other reports; one message causes one reply.",
    Reason.OWNER_TOLD: "The address is unattended; its owner is notified instead.",
    Reason.TOO_OLD: "The bounce is too old for a reply.",
    Reason.SWITCHED_OFF: "Replies are switched off.",
}

WITHHELD: dict[Reason, str] = {
    Reason.OWN_BOUNCE: N_("bounce of our own notification"),
    Reason.NOT_A_REPORT: N_("not a bounce report"),
    Reason.NOT_A_FAILURE: N_("only delayed, or delivered"),
    Reason.BACKSCATTER: N_("backscatter: spoofed sender"),
    Reason.EVIDENCE: N_("not verified as our message"),
    Reason.NOT_PLAIN_ADDRESS: N_("unusual address"),
    Reason.OUTSIDE_DOMAIN: N_("not one of our domains"),
    Reason.REWRITTEN_ADDRESS: N_("address made by a system"),
    Reason.OWN_ADDRESS: N_("address of bounce_watch or an admin"),
    Reason.NEVER_TO: N_("excluded in the configuration"),
    Reason.ROBOT: N_("unattended address"),
    Reason.AUTOMATIC_ORIGINAL: N_("written by a program or list"),
    Reason.SELF_ADDRESSED: N_("addressed to its own sender"),
    Reason.REPEATED: N_("already processed"),
    Reason.RECENTLY_TOLD: N_("notified recently"),
    Reason.PERSON_LIMIT: N_("daily limit of replies reached"),
    Reason.BREAKER: N_("stopped: too many messages"),
    Reason.RATE_LIMIT: N_("message limit reached"),
    Reason.UNCERTAIN: N_("may have been sent; not repeated"),
    Reason.SAME_LETTER: N_("notified together with other bounces"),
    Reason.SAME_MESSAGE: N_("one reply per message"),
    Reason.OWNER_TOLD: N_("owner of the address notified"),
    Reason.TOO_OLD: N_("too old"),
    Reason.SWITCHED_OFF: N_("replies are switched off"),
}


class Mode(StrEnum):
    """What happens to replies: none written, held in the outbox until released, sent."""

    OFF = "off"
    PREVIEW = "preview"
    ON = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A message to be written.

    Alerts and digests need only `kind`, `to` and `event_key`; the rest comes from the report.
    `own_mark`: the report or the returned message holds an ID that `is_own_mark` recognizes.
    `automatic` names the header fields that mark the returned message as written by a machine.
    `original_sender` and `original_recipients` are From and To of the returned message.
    `received_at` is the arrival in the watched mailbox, `dated_at` the report's own Date; None if unknown.
    `disowned`: our Exchange says that somebody else wrote the returned message in our name.
    `known_robot`: the site knows that no person reads the address; its form is checked in any case.
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
    dated_at: datetime | None = None
    known_robot: bool = False
    disowned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was written before, as counted by the store: replies that were sent or may still be sent.

    `last_reply_at` is the newest reply to the same person about the same cause (UTC), None for none.
    `breaker_latched`: the rate was exceeded and no admin has reset it yet.
    `backlog_until`: reports that arrived earlier were there at the first run; their replies are held.
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
    """What the configuration allows. `from_address` is the sender of all our messages."""

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
    """The message may go to the outbox. `hold`: as a preview that an admin must release."""

    hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The message is not written. `reason` is stored, `text` is one sentence for people."""

    reason: Reason
    text: str
