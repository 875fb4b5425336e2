"""Queries about incidents: lists, details, and the newest incident of a fingerprint."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import bindparam, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from bounce_watch.model import Incident, IncidentState
from bounce_watch.model.finding import RefusalExamples
from bounce_watch.store import tables
from bounce_watch.store.database.columns import scrub
from bounce_watch.store.database.session import read_columns
from bounce_watch.store.incidents.detail import refusal_examples_of, show_incident
from bounce_watch.store.incidents.lifecycle import AlertQueries, incident_of
from bounce_watch.store.records import IncidentDetail, KnownIncident

_INCIDENT = tables.Incident
# Built once: building a statement takes longer than running it, and these run for each bounce and rule.
_ALIKE = aliased(_INCIDENT)
_LAST = select(func.max(_ALIKE.number)).where(col(_ALIKE.fingerprint) == col(_INCIDENT.fingerprint))
_NEWEST = select(  # type: ignore[call-overload]
    *(_INCIDENT.fingerprint, _INCIDENT.number, _INCIDENT.state, _INCIDENT.first_at),
    *(_INCIDENT.resolved_at, _INCIDENT.quiet),
).where(
    col(_INCIDENT.fingerprint).in_(bindparam("fingerprints", expanding=True)),
    col(_INCIDENT.number) == _LAST.scalar_subquery(),
)


class IncidentQueries(AlertQueries):
    def list(self, *states: IncidentState, limit: int = 1_000) -> tuple[Incident, ...]:
        """Return the incidents in these states (all for none), newest first, without event numbers."""
        query = select(_INCIDENT).order_by(col(_INCIDENT.number).desc()).limit(limit)
        # One query per state comes from the index in order; one for several states would be sorted.
        queries = [query.where(col(_INCIDENT.state) == state) for state in states] or [query]
        with self._reading() as session:
            rows = [row for one in queries for row in session.exec(one)]
        return tuple(map(incident_of, sorted(rows, key=lambda row: -row.number)[:limit]))

    def list_open(self) -> tuple[Incident, ...]:
        """Return the incidents that are not closed, quiet ones included, newest first."""
        return self.list(IncidentState.OPEN, IncidentState.QUIET)

    def show(self, number: int) -> IncidentDetail:
        """Return an incident with its bounces and history. Raises NotThere for an unknown number."""
        with self._reading() as session:
            return show_incident(session, number)

    def refusal_examples(self, number: int, limit: int = 200) -> RefusalExamples:
        """Return what the newest rejections of an incident say, such as a list name or a size limit."""
        with self._reading() as session:
            return refusal_examples_of(session, number, limit)

    def find(self, fingerprint: str) -> KnownIncident | None:
        """Return the newest incident of a fingerprint in any state, None for none."""
        return self.find_all([fingerprint]).get(fingerprint)

    def find_all(self, fingerprints: Collection[str]) -> dict[str, KnownIncident]:
        asked = {scrub(fingerprint): fingerprint for fingerprint in fingerprints}
        with self._reading() as session:
            rows = read_columns(session, _NEWEST, {"fingerprints": sorted(asked)})
            return {asked[row.fingerprint]: known_of(row) for row in rows}


def known_of(incident: Any) -> KnownIncident:
    return KnownIncident(
        number=incident.number,
        state=IncidentState(incident.state),
        first_at=incident.first_at,
        resolved_at=incident.resolved_at,
        historical=incident.quiet,
    )
