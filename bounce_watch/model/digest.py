"""The facts of one digest: the store counts them, `notifications` renders them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from bounce_watch.model.dead_address import DeadAddress
from bounce_watch.model.dns import RecordChange
from bounce_watch.model.incident import Incident
from bounce_watch.model.letter_outcome import OutcomeCount


class Edition(StrEnum):
    """The period of a digest."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


def closes(edition: Edition, weekday: int, previous: date, day: date) -> bool:
    """Tell whether an edition ends with the digest of `day`; the digest before it was on `previous`.

    `weekday` is that of the weekly edition, Monday 0. The next digest makes up for a missed day.
    """
    match edition:
        case Edition.DAILY:
            return True
        case Edition.WEEKLY:
            return day - timedelta(days=(day.weekday() - weekday) % 7) > previous
        case Edition.MONTHLY:
            return day.replace(day=1) > previous


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One line of a table. `before` is the usual count (see `Digest`), None if there was no watching then."""

    label: str
    now: int
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One check of the service itself: `state` is ok, warning or failure."""

    name: str
    state: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A mailbox that was not read completely since `since` (UTC), None for never."""

    mailbox: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Facts of the span `since` <= t < `until` (UTC). `local_date` is the day in `time_zone` it was made on.

    `unread` are the mailboxes whose waiting messages are not counted, because they were not read.
    `records` are the changes of our records in DNS that were seen.
    `explained` are the causes all of whose bounces belong to incidents that are listed.
    `historical` incidents were found in old messages; they caused no alert.
    `archived` incidents stayed quiet and were put away without confirmation.

    `withheld` counts replies that the gate refused, by reason. `left_alone` counts messages that are not
    reports and stay where they are; `quarantined` counts unreadable ones. `unverified` counts bounces that
    the site does not trust; no other figure contains them.

    `unhelpful` counts the outcomes of letters by cause, in a monthly edition, for causes with twenty letters.
    They were sent in a span as long that ended 14 days earlier, so that each is decided and counted once.

    `unowned` counts, by sender, the bounces that reached no reader and no owner.
    `dead` are the dead addresses with the most bounced messages, in a monthly edition.
    `entries` counts messages by catalogue row, for bounces that our admins must act on.
    `before` of a count is the mean of the same span in the `weeks` watched weeks before (at most four, 0 if
    there are none); in a monthly edition it is the count of the span before. `missed` is the number of local
    dates before this one without a digest; this digest contains their rows.
    """

    local_date: date
    time_zone: str
    since: datetime
    until: datetime
    messages: Count
    bounces: Count
    delays: Count
    opened: tuple[Incident, ...] = ()
    still_open: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    archived: tuple[Incident, ...] = ()
    owners: tuple[Count, ...] = ()
    causes: tuple[Count, ...] = ()
    entries: tuple[Count, ...] = ()
    senders: tuple[Count, ...] = ()
    domains: tuple[Count, ...] = ()
    replies_sent: int = 0
    replies_held: int = 0
    withheld: tuple[Count, ...] = ()
    unowned: tuple[Count, ...] = ()
    dead: tuple[DeadAddress, ...] = ()
    duplicates: int = 0
    left_alone: int = 0
    quarantined: int = 0
    unverified: int = 0
    health: tuple[Health, ...] = ()
    edition: Edition = Edition.DAILY
    weeks: int = 0
    missed: int = 0
    unhelpful: tuple[OutcomeCount, ...] = ()
    unread: tuple[Unread, ...] = ()
    historical: tuple[Incident, ...] = ()
    explained: tuple[str, ...] = ()
    records: tuple[RecordChange, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing bounced and nothing needs attention, as far as the mailboxes were read."""
        incidents = self.opened or self.still_open or self.resolved or self.archived or self.historical
        return not (self.bounces.now or incidents or self.quarantined or self.records)
