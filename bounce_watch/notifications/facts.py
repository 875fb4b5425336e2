"""What emails are composed from: our organization, and the facts of one bounce or incident."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bounce_watch.model import Bounce, Incident
from bounce_watch.model.finding import NO_EXAMPLES, RefusalExamples


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationProfile:
    """Who writes. `support`: address or phone number; `time_zone`: IANA name; `language`: such as `de`."""

    name: str
    support: str
    time_zone: str = "UTC"
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFacts:
    """One bounced message of one sender, with a bounce for each failed recipient.

    `mail_subject`, `mail_date` (UTC) and `mail_id` (Message-ID) are those of the sender's message, None
    if the report does not return them. `language` is the report's Content-Language, None for our own;
    `earlier_language` is that of the sender's newest earlier report that has one.
    `incident` is the name of the open incident that this bounce belongs to (`INC-7`), or None;
    `incident_since` is when it opened (UTC). `earlier_bounces` counts the sender's other messages to the
    same recipient that bounced recently. `known_addresses` and `known_domains` certainly exist, likeliest
    first: a recipient one slip away from one of them is probably a typing error. `more` are other messages of
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
    more: tuple["ReplyFacts", ...] = ()


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
