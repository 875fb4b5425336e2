"""What DNS said, question by question: a row for each answer that differs from the one before."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from sqlmodel import Session, col, select

from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question, RecordChange
from bounce_watch.store import tables
from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.database.values import value_of

MOST_ROWS = 1_000
_ROW = tables.DnsFinding
_COLUMNS = tuple(field.name for field in fields(DnsFinding))
_SAME = ("verdict", "record", "why", "publish", "proves")


class DnsQueries(Queries):
    def newest(self, subjects: Collection[str]) -> tuple[DnsFinding, ...]:
        """Return the newest answer to each question about these domains or addresses."""
        found = {(one.question, one.name): one for one in self.history(subjects)}
        return tuple(sorted(found.values(), key=lambda one: (list(Question).index(one.question), one.name)))

    def history(self, subjects: Collection[str]) -> tuple[DnsFinding, ...]:
        """Return the newest answers about these domains or addresses, oldest first."""
        query = select(_ROW).where(col(_ROW.subject).in_(sorted(subjects))).order_by(col(_ROW.id).desc())
        with self._reading() as session:
            return tuple(
                value_of(DnsFinding, row) for row in reversed(session.exec(query.limit(MOST_ROWS)).all())
            )

    def changes(
        self, since: datetime, until: datetime, subjects: Collection[str]
    ) -> tuple[RecordChange, ...]:
        """Return the changed records of these domains that were first seen in `since` < time <= `until`."""
        with self._reading() as session:
            return tuple(changes(session, since, until, subjects))

    def last_sound_spf(self, domain: str) -> str | None:
        """Return the newest record of a domain by which nothing was wrong, None if none was seen."""
        rows = reversed(self.history([domain]))
        sound = (one for one in rows if one.question is Question.SPF and one.verdict is DnsVerdict.OK)
        return next((one.record for one in sound), None)

    def addresses_of(self, domain: str, since: datetime) -> tuple[str, ...]:
        """Return the addresses by which mail of a domain left, as bounces since then name them."""
        bounce = tables.Bounce
        query = select(bounce.details).where(
            col(bounce.sender_domain) == domain,
            col(bounce.occurred_at) >= since,
            col(bounce.details).is_not(None),
        )
        with self._reading() as session:
            rows = session.exec(query.order_by(col(bounce.id).desc()).limit(MOST_ROWS)).all()
        named = (str(known.get("spf_ip") or known.get("blocked_ip") or "") for known in rows if known)
        return tuple(dict.fromkeys(filter(None, named)))


class DnsFindings(DnsQueries, Repository):
    def record(self, findings: Sequence[DnsFinding]) -> None:
        """Add answers; one equal to the newest of its question only notes when it was seen again."""
        for one in findings:
            asked = (_ROW.subject == one.subject, _ROW.question == one.question, _ROW.name == one.name)
            newest: Any = select(_ROW).where(*asked).order_by(col(_ROW.id).desc()).limit(1)
            row = self._rows.exec(newest).first()
            values = {name: getattr(one, name) for name in _COLUMNS}
            if row is not None and all(getattr(row, name) == values[name] for name in _SAME):
                row.asked_at, row.ttl = one.asked_at, one.ttl
            else:
                self._rows.add(_ROW(**{**values, "first_at": one.asked_at}))
            self._rows.flush()


def changes(
    session: Session, since: datetime, until: datetime, subjects: Collection[str] = ()
) -> Iterator[RecordChange]:
    """Yield the changed records as first seen in `since` < time <= `until`; no subjects: of our domains."""
    # SPF is asked only about our own domains.
    ours: Any = select(_ROW.subject).where(col(_ROW.question) == Question.SPF)
    about = col(_ROW.subject).in_(sorted(subjects) if subjects else ours)
    query = select(_ROW).where(about, col(_ROW.verdict) != DnsVerdict.UNASKED)
    rows = session.exec(query.order_by(col(_ROW.question), col(_ROW.name), col(_ROW.id)).limit(MOST_ROWS))
    for _, group in groupby(rows, lambda row: (row.question, row.name)):
        for before, after in pairwise(group):
            if before.record != after.record and since < after.first_at <= until:
                yield RecordChange(
                    question=Question(after.question),
                    name=after.name,
                    before=before.record,
                    after=after.record,
                    since=before.asked_at,
                    until=after.first_at,
                )
