"""What emails are composed from: our organization, and the facts of one bounce or incident."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bounce_watch.model import Bounce, Cause, Incident
from bounce_watch.model.dns import DnsFinding, RecordChange
from bounce_watch.model.finding import NO_EXAMPLES, RefusalExamples


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationProfile:
    """Who writes. `support`: address or phone number; `time_zone`: IANA name; `language`: such as `de`.

    `reads_replies`: replies to our letters reach support, and alerts can be replied to.
    """

    name: str
    support: str
    time_zone: str = "UTC"
    language: str = "en"
    reads_replies: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFacts:
    """One bounced message of one sender, with a bounce for each failed recipient.

    `mail_subject`, `mail_date` (UTC) and `mail_id` (Message-ID) are those of the sender's message, None
    if the report does not return them. `language` is the report's Content-Language, None for our own;
    `earlier_language` is that of the sender's newest earlier report that has one.
    `incident` is the name of the open incident that this bounce belongs to (`INC-7`), or None;
    `incident_since` is when it opened (UTC). `earlier_bounces` counts the sender's other messages to the
    same recipient that bounced recently. `known_addresses` and `known_domains` certainly exist, likeliest
    first: a recipient one slip away from one of them is probably a typing error. `dns` proves that mail for
    the recipient's domain cannot be delivered. `more` are other messages of
    the same sender that the same reply is about, each with its own facts.
    """

    event_key: str
    to: str
    bounces: tuple[Bounce, ...]
    mail_subject: str | None = None
    mail_date: datetime | None = None
    mail_id: str | None = None
    language: str | None = None
    earlier_language: str | None = None
    incident: str | None = None
    incident_since: datetime | None = None
    earlier_bounces: int = 0
    known_addresses: tuple[str, ...] = ()
    known_domains: tuple[str, ...] = ()
    dns: DnsFinding | None = None
    more: tuple["ReplyFacts", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFacts:
    """For support: a colleague replied to a letter, or keeps writing in vain although we wrote to them.

    `words` is what they wrote, without quotes; None if they did not reply. `subject`, `text` and `sent_at`
    (UTC) are those of our newest letter to them. `times` counts the bounces after our letters about
    `recipient` and `cause`. `bounce` is the number of the bounce, None for a letter about an incident.
    """

    event_key: str
    to: str
    person: str
    subject: str
    text: str
    sent_at: datetime
    words: str | None = None
    recipient: str = ""
    cause: Cause = Cause.UNKNOWN
    times: int = 0
    bounce: int | None = None


class Done(StrEnum):
    """What a reply to an alert did."""

    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    RESOLVED = "resolved"
    NOTED = "noted"
    CLOSED = "closed"
    NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationFacts:
    """What an admin's reply to an alert did. `subject` is that of the alert, `name` that of the incident.

    `until` is when a silence ends (UTC), `note` the note that was added. `in_reply_to` is the Message-ID
    of the reply.
    """

    event_key: str
    to: str
    done: Done
    subject: str
    name: str = ""
    note: str = ""
    until: datetime | None = None
    in_reply_to: str | None = None


class AlertKind(StrEnum):
    """The reason for an alert."""

    OPENED = "opened"
    REOPENED = "reopened"
    GREW = "grew"
    QUIET = "quiet"
    REMINDER = "reminder"
    ALL_CLEAR = "all_clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """One incident, what happened to it, and the admin to alert.

    `growth` is its size relative to the first alert, for the kind grew. `related` names other open
    incidents that may belong to it, `explains` those that cause no alert because of it.
    `examples` is what the newest rejections say beyond their codes.
    `others` are further incidents that the alert only lists, and what happened to each.
    `waiting` names incidents whose alerts wait for the hourly limit. `closed` says who or what resolved it.
    `dns` is what DNS said about it, `records` are changes of our records shortly before.
    """

    event_key: str
    to: str
    incident: Incident
    kind: AlertKind = AlertKind.OPENED
    growth: int = 1
    related: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    examples: RefusalExamples = NO_EXAMPLES
    others: tuple[tuple[Incident, AlertKind], ...] = ()
    waiting: tuple[str, ...] = ()
    closed: str = ""
    dns: tuple[DnsFinding, ...] = ()
    records: tuple[RecordChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMail:
    """One bounced message of a sender. `sent_at` is UTC; None for what the report does not return."""

    recipient: str
    subject: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """An incident is resolved: an affected sender can resend these messages.

    `language` is that of the sender's newest report with one, None for our own.
    """

    event_key: str
    to: str
    incident: Incident
    mails: tuple[OwnMail, ...]
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadSender:
    """Messages of one sender, such as a scanner, that failed for one cause, each with one bounce."""

    sender: str
    mails: tuple[ReplyFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerFacts:
    """Bounces of addresses that no person reads, for their owner.

    `senders` are these addresses. Of all `messages`, `unread` shows the newest and `more` counts the others.
    `language` is that of the owner's newest report with one, None for our own.
    """

    event_key: str
    to: str
    senders: tuple[str, ...]
    messages: int
    unread: tuple[UnreadSender, ...]
    more: int = 0
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageFacts:
    """A mailbox, by its label, cannot be read for some time, or is read again (`is_over`).

    `is_about_filing`: it is read, but its messages cannot be moved.

    `why` is the newest reason, `repair` how to fix it (empty if unknown), `commands` lines of PowerShell
    for that. `last_look` is None if it was never read.
    """

    event_key: str
    to: str
    mailbox: str
    since: datetime
    now: datetime
    last_look: datetime | None
    why: str
    repair: str = ""
    commands: tuple[str, ...] = ()
    is_over: bool = False
    is_about_filing: bool = False
