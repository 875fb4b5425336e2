"""What a letter is made of: our organisation, and the facts of one bounce or incident."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bounce_watch.model import Bounce, Details, Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """Who writes. `support`: an address or phone number, `time_zone`: an IANA name, `language`: as `de`."""

    name: str
    support: str
    time_zone: str = "UTC"
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFacts:
    """One mail of one colleague that came back; at least one bounce, several for several recipients.

    `mail_subject`, `mail_date` (UTC) and `mail_id` (Message-ID) are those of the colleague's own mail, None
    when the report does not return them. `language` is the report's Content-Language, None for our own;
    `earlier_language` that of the person's newest earlier report that named one.
    `incident` is the name of the open incident that this bounce belongs to (`INC-7`), None for none;
    `incident_since` is when it opened (UTC). `earlier_bounces` counts the colleague's other mails to the same
    recipient that came back lately. `known_addresses` and `known_domains` exist for certain, likeliest
    first: a recipient one slip away from one of them is probably a typing error.
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


class AlertKind(StrEnum):
    """What an alert is written for."""

    OPENED = "opened"
    REOPENED = "reopened"
    GREW = "grew"
    REMINDER = "reminder"
    ALL_CLEAR = "all_clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """One incident, what happened to it, and the admin who hears of it.

    `growth` is how many times as large it is as when it was first told, for the kind grew. `related` names
    other open incidents that may belong to it, `explains` those that nobody is told of because of it.
    `details` is what the newest refusals say beyond their codes.
    """

    event_key: str
    to: str
    incident: Incident
    kind: AlertKind = AlertKind.OPENED
    growth: int = 1
    related: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    details: tuple[Details, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMail:
    """One mail of a colleague that came back. `sent_at` is UTC; None for what the report does not return."""

    recipient: str
    subject: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """An incident is over: a colleague whom it concerned may send these mails again."""

    event_key: str
    to: str
    incident: Incident
    mails: tuple[OwnMail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageFacts:
    """A mailbox, as people call it, cannot be read since a while; or, when it is over, is read again.

    `why` is the newest reason, `repair` what ends it (empty where nothing is known), `commands` lines of
    PowerShell for that. `last_look` is None when it was never read.
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
