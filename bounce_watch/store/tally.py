"""Keep the counters: what one message adds to them, in the transaction that stores it.

A message counts once for a label and a day. One whose rows lie in several days or tiers is set aside
and counted directly whenever somebody asks, so that every sum is exact.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from bounce_watch.model import Action
from bounce_watch.store import tables
from bounce_watch.store.database.columns import MAX_TEXT, scrub
from bounce_watch.store.database.upsert import run, upsert
from bounce_watch.store.put_off import remembered

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BLOCK_DAYS = 32
"""Days in a block: the long period of what has many labels, so that a year is a dozen steps."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AT = tables.Bounce
_GATHERED, _MESSAGES, _BOUNCES = "gathered", "messages", "bounces"


class Grain(StrEnum):
    HOUR = "hour"
    DAY = "day"
    BLOCK = "block"
    EVER = "ever"


class Dimension(StrEnum):
    """What is counted. `action` counts every row, the others failed ones only."""

    ACTION = "action"
    CAUSE = "cause"
    OWNER = "owner"
    CODE = "code"
    SENDER = "sender"
    DOMAIN = "domain"


MANIFOLD = frozenset({Dimension.SENDER, Dimension.DOMAIN})
"""Of so many labels that counting their days one by one would make as many rows as there are bounces.

Their blocks are many too, so all time is counted beside them; the days of the others are few enough.
"""

VALUES = {
    Dimension.CAUSE: "cause",
    Dimension.OWNER: "owner",
    Dimension.CODE: "status",
    Dimension.SENDER: "sender_key",
    Dimension.DOMAIN: "recipient_domain",
}


class Counted(Protocol):
    """What the counters look at in a row of `bounce`."""

    @property
    def occurred_at(self) -> datetime: ...
    @property
    def evidence(self) -> str | None: ...
    @property
    def action(self) -> str: ...
    @property
    def cause(self) -> str: ...


class _Fresh(NamedTuple):
    """A row that is new. The names are those of the columns."""

    occurred_at: datetime
    evidence: str | None
    action: str
    cause: str
    owner: str
    status: str | None
    sender_key: str | None
    recipient_domain: str | None


_COUNTED = _Fresh._fields
_ROWS_OF = select(_AT).where(col(_AT.message_id) == bindparam("message"))


@dataclass(frozen=True, slots=True)
class Cell:
    """The key of one counter."""

    dimension: Dimension
    grain: Grain
    period: int
    label: str
    evidence: str


def day_of(moment: datetime) -> int:
    """Return the number of the day (UTC) since 1970."""
    return (moment - _EPOCH) // DAY


def start_of(day: int) -> datetime:
    """Return the first moment of a day."""
    return _EPOCH + day * DAY


def hour_of(moment: datetime) -> int:
    """Return the number of the hour since 1970."""
    return (moment - _EPOCH) // HOUR


def hour_start(hour: int) -> datetime:
    """Return the first moment of an hour since 1970."""
    return _EPOCH + hour * HOUR


def rows_of(session: Session, message_id: int) -> Sequence[Counted]:
    """Return the rows of a message that are counted already."""
    return session.exec(_ROWS_OF, params={"message": message_id}).all()


def counted(row: Mapping[str, Any]) -> Counted:
    """Return a new row as it is counted."""
    return _Fresh(**{name: row[name] for name in _COUNTED})


def count_in(session: Session, message_id: int, before: Sequence[Counted], fresh: Sequence[Counted]) -> None:
    """Add what new rows of a message change to the counters."""
    if not fresh:
        return
    messages, bounces = _added(before, fresh)
    changed = [cell for cell in {**messages, **bounces} if messages[cell] or bounces[cell]]
    if gathered := remembered(session, _GATHERED):
        gathered[_MESSAGES].update(messages)
        gathered[_BOUNCES].update(bounces)
    else:
        add_up(session, changed, messages, bounces)
    if not is_plain([*before, *fresh]):
        times = [row.occurred_at for row in (*before, *fresh)]
        session.merge(tables.Scattered(message_id=message_id, first_at=min(times), last_at=max(times)))
        session.flush()


@contextmanager
def gathering(session: Session) -> Iterator[None]:
    """Sum up what `count_in` adds in this block and write it at its end; nothing inside may ask for counters.

    A block that raises writes nothing: its transaction is undone.
    """
    gathered = remembered(session, _GATHERED)
    messages, bounces = gathered[_MESSAGES], gathered[_BOUNCES] = Counter[Cell](), Counter[Cell]()
    yield
    gathered.clear()
    changed = [cell for cell in {**messages, **bounces} if messages[cell] or bounces[cell]]
    add_up(session, changed, messages, bounces)


def _added(before: Sequence[Counted], fresh: Sequence[Counted]) -> tuple[Counter[Cell], Counter[Cell]]:
    """Return how mails and recipients of each counter change."""
    messages, bounces = Counter(cells_of([*before, *fresh])), Counter[Cell]()
    bounces.update(messages)
    messages = Counter(dict.fromkeys(messages, 1))
    if before:
        old = Counter(cells_of(before))
        bounces.subtract(old)
        messages.subtract(dict.fromkeys(old, 1))
    return messages, bounces


def is_plain(rows: Sequence[Counted]) -> bool:
    """Tell whether all rows of a message lie in one day and one tier."""
    return len({(day_of(row.occurred_at), row.evidence) for row in rows}) == 1


def cells_of(rows: Sequence[Counted]) -> Iterator[Cell]:
    """Yield each counter as often as rows of the message fall into it."""
    failed = [row for row in rows if row.action == Action.FAILED]
    yield from _hours(failed)
    if not is_plain(rows):
        return
    day, evidence = day_of(rows[0].occurred_at), rows[0].evidence or ""
    for row in rows:
        yield from days_of(Dimension.ACTION, row.action, day, evidence)
    for row in failed:
        for dimension, name in VALUES.items():
            if (label := getattr(row, name)) is not None:
                yield from days_of(dimension, label, day, evidence)


def _hours(failed: Sequence[Counted]) -> Iterator[Cell]:
    """Yield the hour of the first failure for each cause of the message: what a trend is drawn from."""
    first: dict[str, Counted] = {}
    for row in sorted(failed, key=lambda row: row.occurred_at):
        first.setdefault(row.cause, row)
    for cause, row in first.items():
        hour = hour_of(row.occurred_at)
        yield Cell(Dimension.CAUSE, Grain.HOUR, hour, _label(cause), row.evidence or "")


def days_of(dimension: Dimension, label: str, day: int, evidence: str) -> Iterator[Cell]:
    """Yield the counters of one label and day."""
    label = _label(label)
    if dimension in MANIFOLD:
        yield Cell(dimension, Grain.EVER, 0, label, evidence)
        yield Cell(dimension, Grain.BLOCK, day // BLOCK_DAYS, label, evidence)
    else:
        yield Cell(dimension, Grain.DAY, day, label, evidence)


def _label(text: str) -> str:
    return scrub(str(text)[:MAX_TEXT])  # as SafeText stores it


def add_up(session: Session, cells: Sequence[Cell], messages: Counter[Cell], bounces: Counter[Cell]) -> None:
    """Change counters by so many mails and recipients."""
    rows = [
        {
            "dimension": cell.dimension,
            "grain": cell.grain,
            "period": cell.period,
            "label": cell.label,
            "evidence": cell.evidence,
            "messages": messages[cell],
            "bounces": bounces[cell],
        }
        for cell in cells
    ]
    if rows:
        run(session, _ADD, rows)


def _more(new: Any) -> dict[str, Any]:
    return {
        "messages": col(tables.Tally.messages) + new.messages,
        "bounces": col(tables.Tally.bounces) + new.bounces,
    }


_ADD = upsert(tables.Tally, ("dimension", "grain", "period", "label", "evidence"), _more)
