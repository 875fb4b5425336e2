"""Verdicts of stored bounces: those of another catalogue, replacing them, and giving the first ones back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, update
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from bounce_watch.model import Action, Bounce, Cause, Certainty, Kind, Report
from bounce_watch.store import tables
from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.messages.rows import bounce_of, bounce_row
from bounce_watch.store.meta import read_value, write_value

_BOUNCE = tables.Bounce
VERDICT = ("cause", "owner", "certainty", "entry", "why", "details", "catalogue")
"""The columns that a catalogue decides."""

_COLUMNS: tuple[Any, ...] = (_BOUNCE.first_verdict, *(getattr(_BOUNCE, name) for name in VERDICT))
# The ORM would send one statement for each row.
_WRITE = (
    update(_BOUNCE)
    .where(col(_BOUNCE.id) == bindparam("of"))
    .values({name: bindparam(f"new_{name}") for name in ("first_verdict", *VERDICT)})
)
_JUDGED = (Action.FAILED, Action.DELAYED)
_DRIFT = "judged_otherwise"


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A stored bounce, and of its report what a judge needs: `reporting_mta` and `format`."""

    id: int
    bounce: Bounce
    report: Report


class VerdictQueries(Queries):
    def of_other_catalogues(
        self,
        version: str,
        *,
        most: int,
        after: int = 0,
        since: datetime | None = None,
        text: str | None = None,
        newest: bool = False,
    ) -> tuple[StoredVerdict, ...]:
        """Return bounces that another catalogue judged, by number, those after `after` only.

        `text` must stand in the server's words, regardless of case. `newest`: the highest numbers first.
        """
        conditions = [col(_BOUNCE.id) > after]
        conditions.append(or_(col(_BOUNCE.catalogue).is_(None), col(_BOUNCE.catalogue) != version))
        if since is not None:
            conditions.append(col(_BOUNCE.occurred_at) >= since)
        if text:
            conditions.append(col(_BOUNCE.diagnostic_code).icontains(text, autoescape=True))
        return self._find(conditions, most, newest=newest)

    def _find(
        self, conditions: Iterable[ColumnElement[bool]], most: int, *, newest: bool
    ) -> tuple[StoredVerdict, ...]:
        report, number = tables.Report, col(_BOUNCE.id)
        query = select(_BOUNCE, report.format, report.reporting_mta)
        query = query.join(report, col(report.id) == col(_BOUNCE.report_id))
        query = query.where(col(_BOUNCE.action).in_(_JUDGED), *conditions)
        query = query.order_by(number.desc() if newest else number).limit(most)
        with self._reading() as session:
            rows = session.exec(query).all()
        return tuple(StoredVerdict(row.id, bounce_of(row), _report(kind, mta)) for row, kind, mta in rows)

    def not_understood(self, *, since: datetime | None, most: int) -> tuple[StoredVerdict, ...]:
        """Return the newest bounces whose cause is unknown or a guess by the code, with words of a server."""
        unclear = or_(col(_BOUNCE.cause) == Cause.UNKNOWN, col(_BOUNCE.certainty) == Certainty.NOT_TOLD)
        conditions = [unclear, col(_BOUNCE.diagnostic_code).is_not(None)]
        if since is not None:
            conditions.append(col(_BOUNCE.occurred_at) >= since)
        return self._find(conditions, most, newest=True)

    def judged_again(self, *, most: int, since: datetime | None = None) -> tuple[int, ...]:
        """Return the numbers of bounces that have a later verdict than the first, in order."""
        query = select(_BOUNCE.id).where(col(_BOUNCE.first_verdict).is_not(None))
        if since is not None:
            query = query.where(col(_BOUNCE.occurred_at) >= since)
        with self._reading() as session:
            return tuple(session.exec(query.order_by(col(_BOUNCE.id)).limit(most)))

    def otherwise(self, version: str) -> int | None:
        """Return how many bounces this catalogue would judge otherwise, None if that was not counted yet."""
        with self._reading() as session:
            known, _, count = (read_value(session, _DRIFT) or "").rpartition(" ")
        return int(count) if known == version else None


class Verdicts(VerdictQueries, Repository):
    def replace(self, judged: Mapping[int, Bounce]) -> None:
        """Write new verdicts by the numbers of bounces; the first value of each column stays beside them."""
        rows = []
        for number, first, was in self._verdicts(judged):
            values = bounce_row(judged[number])
            now = {name: values[name] for name in VERDICT}
            changed = {name: was[name] for name in VERDICT if was[name] != now[name]}
            rows.append(_row(number, {**changed, **(first or {})}, now))
        self._write(rows)

    def restore(self, numbers: Sequence[int]) -> None:
        """Give bounces their first verdicts back."""
        self._write(
            [
                _row(number, None, {name: (first or {}).get(name, was[name]) for name in VERDICT})
                for number, first, was in self._verdicts(numbers)
            ]
        )

    def _verdicts(
        self, numbers: Iterable[int]
    ) -> Iterator[tuple[int, dict[str, Any] | None, dict[str, Any]]]:
        """Yield the number of each bounce, its first verdict and its verdict as it is stored."""
        query: Any = select_columns(col(_BOUNCE.id), *map(col, _COLUMNS))
        for number, first, *values in self._rows.execute(query.where(col(_BOUNCE.id).in_(list(numbers)))):
            yield number, first, dict(zip(VERDICT, values, strict=True))

    def _write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._rows.connection().execute(_WRITE, rows)

    def note_otherwise(self, version: str, count: int) -> None:
        """Record how many bounces this catalogue would judge otherwise."""
        write_value(self._rows, _DRIFT, f"{version} {count}")


def _report(kind: str, reporting_mta: str | None) -> Report:
    return Report(kind=Kind.FAILURE, format=kind, reporting_mta=reporting_mta)


def _row(number: int, first: Mapping[str, Any] | None, verdict: Mapping[str, Any]) -> dict[str, Any]:
    return {"of": number, "new_first_verdict": first, **{f"new_{name}": verdict[name] for name in VERDICT}}
