"""A mailbox that cannot be read: the admins get one mail after a while, and one when it is read again."""

from functools import partial

from bounce_watch.model import LetterKind
from bounce_watch.notifications.facts import OutageFacts
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.pipeline.context import House
from bounce_watch.pipeline.outbox.enqueue import post
from bounce_watch.store import Transaction, Trouble

LONGEST_REASON = 400


def note_fault(house: House, source: str, label: str, fault: Exception) -> bool:
    """Note a mailbox's fault; once it has lasted too long, write to the admins. Tell whether we did."""
    now, why = house.clock(), " ".join(str(fault).split())[:LONGEST_REASON] or type(fault).__name__
    with house.store.transaction() as tx:
        tx.note_trouble(source, why, now)
        trouble = tx.trouble_with(source)
        if trouble is None or trouble.is_told:
            return False
        if (now - trouble.since).total_seconds() < house.config.monitor.tell_after_minutes * 60:
            return False
        repair, commands = str(getattr(fault, "repair", "")), tuple(getattr(fault, "commands", ()))
        _write(house, tx, source, label, trouble, repair=repair, commands=commands)
        tx.note_trouble(source, why, now, told=True)
    return True


def note_recovery(house: House, source: str, label: str) -> bool:
    """Note that a mailbox is read again; give the all-clear to those who had a mail. Tell whether we did."""
    trouble = house.store.trouble_with(source)
    if trouble is None:
        return False
    with house.store.transaction() as tx:
        tx.clear_trouble(source)
        if trouble.is_told:
            _write(house, tx, source, label, trouble, is_over=True)
    return trouble.is_told


def _write(
    house: House,
    tx: Transaction,
    source: str,
    label: str,
    trouble: Trouble,
    *,
    repair: str = "",
    commands: tuple[str, ...] = (),
    is_over: bool = False,
) -> None:
    for address in house.config.organisation.admins:
        step = "over" if is_over else "begun"
        key = f"outage:{step}:{source}:{trouble.since.isoformat()}:{address.lower()}"
        facts = OutageFacts(
            event_key=key,
            to=address,
            mailbox=label,
            since=trouble.since,
            now=house.clock(),
            last_look=tx.last_look_at(source),
            why=trouble.why,
            repair=repair,
            commands=commands,
            is_over=is_over,
        )
        candidate = Candidate(kind=LetterKind.ALERT, to=address, event_key=key)
        post(house, tx, candidate, partial(house.composer.outage, facts))
