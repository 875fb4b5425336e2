"""What a transaction has stored itself: it need not ask for that, as it holds the lock from its begin.

A transaction that fails takes its session with it, and with that what was remembered.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlmodel import Session

from bounce_watch.store.put_off import remembered

_BOUNCES, _BY_REPORT, _PROOFS = "bounces_of_message", "bounces_of_report", "proofs_of_incident"
_HORIZON = "horizon"
_EVERYTHING = 2**62


def note_message(session: Session, message_id: int) -> None:
    """Note that a message is new."""
    remembered(session, _BOUNCES)[message_id] = ()


def note_bounces(session: Session, message_id: int, report_id: int, bounces: Collection[int]) -> None:
    """Note the bounces of a report, if its message is new."""
    known = remembered(session, _BOUNCES)
    if message_id in known:
        known[message_id] = (*known[message_id], *bounces)
        remembered(session, _BY_REPORT)[report_id] = tuple(bounces)


def note_proofs(session: Session, incident: int, bounces: Collection[int]) -> None:
    """Note that bounces prove an incident from here on."""
    remembered(session, _PROOFS).setdefault(incident, set()).update(bounces)


def proofs_by(session: Session, message_id: int, incident: int) -> set[int] | None:
    """Return the bounces of a new message that prove an incident, None when the store must be asked."""
    bounces = remembered(session, _BOUNCES).get(message_id)
    if bounces is None:
        return None
    proofs: set[int] = remembered(session, _PROOFS).get(incident, set())
    return proofs.intersection(bounces)


def proved_by(session: Session, report_id: int) -> set[int] | None:
    """Return the incidents that a report of a new message proves, None when the store must be asked."""
    bounces = remembered(session, _BY_REPORT).get(report_id)
    if bounces is None:
        return None
    return {
        number for number, proofs in remembered(session, _PROOFS).items() if not proofs.isdisjoint(bounces)
    }


@contextmanager
def looking_from(session: Session, bounce: int) -> Iterator[None]:
    """Let questions of rules and answers see no bounce newer than this one while the block lasts.

    A group of messages is stored at once; each is then judged as if those behind it had not come yet.
    """
    kept = remembered(session, _HORIZON)
    kept[_HORIZON] = bounce
    try:
        yield
    finally:
        del kept[_HORIZON]


def horizon(session: Session) -> int:
    """Return the number of the newest bounce that may be seen now."""
    return int(remembered(session, _HORIZON).get(_HORIZON, _EVERYTHING))
