"""One look at the mailbox: read what is new, file it, settle incidents, make the digest, send what is due."""

from collections.abc import Callable

from bounce_watch.pipeline.chatting import tell_rooms
from bounce_watch.pipeline.delivery import deliver
from bounce_watch.pipeline.digesting import is_digest_due, make_digest
from bounce_watch.pipeline.house import House
from bounce_watch.pipeline.patterns import settle
from bounce_watch.pipeline.receiving import never, nothing
from bounce_watch.pipeline.result import CycleResult
from bounce_watch.pipeline.room import require_room
from bounce_watch.pipeline.settling import note_first_backlog
from bounce_watch.pipeline.upkeep import is_upkeep_due, keep_up
from bounce_watch.pipeline.walking import walk
from bounce_watch.send.interface import Probe, Sender
from bounce_watch.source.interface import Source


def run_cycle(
    house: House,
    source: Source,
    sender: Sender | None,
    probe: Probe | None = None,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[], None] = nothing,
    hurry: bool = False,
) -> CycleResult:
    """Run one whole cycle on an opened source.

    With `hurry` answers do not settle: no cycle follows soon. Raises SourceError, StoreError and
    ReaderUnavailable, with nothing lost.
    """
    result = CycleResult()
    look(house, source, result, stop=stop, progress=progress)
    attend(house, sender, probe, result, stop=stop, hurry=hurry)
    return result


def look(
    house: House,
    source: Source,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[], None] = nothing,
    portion: float | None = None,
) -> bool:
    """Read what is new in one opened mailbox; raises StoreFull before anything is fetched.

    Now and then the whole folder is walked through, for `portion` seconds a look; True when the next look is
    to go on with it.
    """
    require_room(house.config)
    note_first_backlog(house, source)
    newest = None if house.store.watcher.is_alone else house.store.newest_message()
    elsewhere = result.in_other_hands
    seen = walk(house, source, result, stop=stop, progress=progress, portion=portion)
    if stop():
        return False
    with house.store.transaction() as tx:
        tx.note_fetch(house.clock(), source.name)
        if seen.whole and not source.skipped and result.in_other_hands == elsewhere:
            tx.note_moved(source.name, up_to=newest)
        if seen.cursor is not None:
            tx.note_cursor(source.name, seen.cursor)
    return seen.halfway


def attend(
    house: House,
    sender: Sender | None,
    probe: Probe | None,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    hurry: bool = False,
) -> None:
    """Do what is due whatever the mailboxes hold: incidents, digest, outbox, upkeep.

    Of several watchers one leads: it alone does what is done once for all; every one sends.
    """
    leads = house.store.watcher.leads()
    with house.store.transaction() as tx:
        if leads:
            result.resolved = settle(house, tx)
        if hurry:
            tx.hasten(house.clock())
    if leads and is_digest_due(house):
        result.digest = make_digest(house) is not None
    if sender is not None:
        result.delivered = deliver(house, sender, probe, stop=stop)
        if leads:
            tell_rooms(house)
    if leads and is_upkeep_due(house):
        keep_up(house, stop=stop)
    result.held = house.store.waiting_for_release()
