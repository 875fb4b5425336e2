"""One look at the mailbox: read what is new, file it, settle incidents, make the digest, send what is due."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import structlog

from bounce_watch.model import Kind
from bounce_watch.pipeline.chatting import tell_rooms
from bounce_watch.pipeline.delivery import Delivered, deliver
from bounce_watch.pipeline.digesting import is_digest_due, make_digest
from bounce_watch.pipeline.house import House
from bounce_watch.pipeline.intake import Intake, note_failure, take_in
from bounce_watch.pipeline.patterns import settle
from bounce_watch.pipeline.settling import note_first_backlog
from bounce_watch.pipeline.upkeep import is_upkeep_due, keep_up
from bounce_watch.reading.outcome import Outcome, ReaderUnavailable
from bounce_watch.send.interface import Probe, Sender
from bounce_watch.source.interface import Locator, Message, Source, SourceError
from bounce_watch.store import MessageState, StoreError

log = structlog.get_logger()


_COUNTS = ("messages", "bounces", "duplicates", "letters", "withheld", "quarantined", "left", "skipped")


@dataclass(slots=True, kw_only=True)
class CycleResult:
    """What one cycle did. `kinds` counts the new messages by kind.

    `skipped` counts what lies in the source and could not be opened, `held` all mails that wait for a
    person's release.
    """

    messages: int = 0
    bounces: int = 0
    duplicates: int = 0
    letters: int = 0
    withheld: int = 0
    quarantined: int = 0
    left: int = 0
    skipped: int = 0
    kinds: dict[Kind, int] = field(default_factory=dict)
    opened: list[int] = field(default_factory=list)
    resolved: tuple[int, ...] = ()
    digest: bool = False
    held: int = 0
    delivered: Delivered = field(default_factory=Delivered)

    def add(self, intake: Intake) -> None:
        self.messages += 1
        self.bounces += intake.bounces
        self.duplicates += intake.duplicates
        self.letters += intake.letters
        self.withheld += intake.withheld
        self.quarantined += intake.state is MessageState.QUARANTINED
        self.left += intake.state is MessageState.LEFT
        self.kinds[intake.kind] = self.kinds.get(intake.kind, 0) + 1
        self.opened.extend(intake.opened)

    def merge(self, other: "CycleResult") -> None:
        """Add what another cycle did."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, count in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + count
        self.opened += other.opened
        self.resolved += other.resolved
        self.digest = self.digest or other.digest
        self.held = other.held
        self.delivered.merge(other.delivered)


ReadAhead = Callable[[Iterable[Message]], Iterator[tuple[Message, Outcome | None]]]
"""Reads messages before their turn; None for one that is to be read when its turn comes."""


def _each(messages: Iterable[Message]) -> Iterator[tuple[Message, Outcome | None]]:
    return ((message, None) for message in messages)


def _never() -> bool:
    return False


def _nothing() -> None:
    return None


def run_cycle(
    house: House,
    source: Source,
    sender: Sender | None,
    probe: Probe | None = None,
    *,
    stop: Callable[[], bool] = _never,
    progress: Callable[[], None] = _nothing,
    hurry: bool = False,
) -> CycleResult:
    """Run one whole cycle on an opened source.

    With `hurry` answers do not settle: no cycle follows soon. Raises SourceError, StoreError and
    ReaderUnavailable, with nothing lost.
    """
    result = CycleResult()
    note_first_backlog(house, source)
    read_new(house, source, result, stop=stop, progress=progress)
    with house.store.transaction() as tx:
        tx.note_fetch(house.clock())
        if not stop() and not result.skipped:
            tx.note_moved(source.name)
        result.resolved = settle(house, tx)
        if hurry:
            tx.hasten(house.clock())
    if is_digest_due(house):
        result.digest = make_digest(house) is not None
    if sender is not None:
        result.delivered = deliver(house, sender, probe, stop=stop)
        tell_rooms(house)
    if is_upkeep_due(house):
        keep_up(house, stop=stop)
    result.held = house.store.waiting_for_release()
    return result


def read_new(
    house: House,
    source: Source,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = _never,
    progress: Callable[[], None] = _nothing,
    historical: bool = False,
    ahead: ReadAhead = _each,
) -> None:
    """Take in every message that is not known yet, and move it once its rows are committed."""

    def is_wanted(place: Locator) -> bool:
        return _is_wanted(house, source, place)

    for message, outcome in ahead(source.messages(is_wanted)):
        if stop():
            return
        # What was read ahead may have come a second time before the first was stored.
        if outcome is None or is_wanted(message.locator):
            intake = _guarded(house, message, outcome, historical=historical)
            result.add(intake)
            move(house, source, message.locator, intake.state)
        progress()
    result.skipped += len(source.skipped)


def _guarded(house: House, message: Message, outcome: Outcome | None, *, historical: bool) -> Intake:
    try:
        return take_in(house, message, historical=historical, outcome=outcome)
    except (StoreError, SourceError, ReaderUnavailable, OSError, MemoryError):
        raise  # transient or the operator's: never the mail's fault, never a reason for quarantine
    except Exception as error:  # the one catch-all: a bug must not stop the mail behind it
        log.exception("message_failed", uid=message.locator.uid, error=type(error).__name__)
        return note_failure(house, message, f"{type(error).__name__} while reading")


def _is_wanted(house: House, source: Source, place: Locator) -> bool:
    """Tell whether a message is new; finish the move of one that was stored before a crash."""
    state = house.store.is_known(place.mailbox, place.validity, place.uid)
    if state is None or state is MessageState.SEEN:
        return True
    move(house, source, place, state)
    return False


def move(house: House, source: Source, place: Locator, state: MessageState) -> None:
    """Move a message whose rows are committed, then note that it was moved. Repeating it is harmless."""
    match state:
        case MessageState.STORED:
            source.file(place)
            with house.store.transaction() as tx:
                tx.set_state_at(place.mailbox, place.validity, place.uid, MessageState.FILED)
        case MessageState.QUARANTINED:
            source.quarantine(place)
        case _:
            pass
