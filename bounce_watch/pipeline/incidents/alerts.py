"""Mails to the admins about incidents: opened (after a settle time), grown, quiet, reminder, resolved."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import structlog

from bounce_watch.detect import Rule, find_explanation, related
from bounce_watch.model import Incident, IncidentState, LetterKind, Owner, Severity
from bounce_watch.notifications.facts import AlertFacts, AlertKind
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.outbox.enqueue import post
from bounce_watch.store import Transaction
from bounce_watch.store.incidents.lifecycle import AlertState

GROWTH = (8, 4, 2)

log = structlog.get_logger()


def alert_opened(context: Context, tx: Transaction, incident: Incident) -> bool:
    """Alert about a new incident that cannot wait for the next poll: critical and for the security team."""
    finding = incident.finding
    urgent = finding.severity is Severity.CRITICAL and finding.owner is Owner.SECURITY
    if not urgent or incident.historical or incident.is_silenced(context.clock()):
        return False
    _write_alerts(context, tx, incident, _first(incident), unresolved=tx.incidents.list(IncidentState.OPEN))
    return True


def alert_due(context: Context, tx: Transaction) -> int:
    """Write the alerts that are due about open incidents; return the number of incidents alerted about.

    An incident that another one explains is noted as suppressed. Severe ones go first: what was written about
    lesser ones never uses up the hourly limit of the others. What waits is named in the alerts that are sent.
    """
    everything = tx.incidents.alert_states()
    active = [state.incident for state in everything if state.incident.state is IncidentState.OPEN]
    due = [
        (state, kind)
        for state in sorted(everything, key=_severity_and_number)
        if not _is_explained(context, tx, state.incident, active)
        and (kind := _due(context, state)) is not None
    ]
    now_due = [
        (state, kind) for place, (state, kind) in enumerate(due) if _fits(context, state, everything, place)
    ]
    waiting = tuple(state.incident.name for state, kind in due if (state, kind) not in now_due)
    for state, kind in now_due:
        growth = _growth(state)
        _write_alerts(context, tx, state.incident, kind, unresolved=active, growth=growth, waiting=waiting)
    if waiting:
        log.warning("alerts_wait", incidents=", ".join(waiting), per_hour=context.config.alerts.per_hour)
    return len(now_due)


def _is_explained(context: Context, tx: Transaction, incident: Incident, active: Sequence[Incident]) -> bool:
    """Note and tell whether another incident explains this one. A quiet one explains nothing new."""
    if incident.state is IncidentState.QUIET:
        return incident.suppressed_by is not None
    explanation = find_explanation(_rules_by_id(context), incident, active)
    number = explanation.number if explanation else None
    tx.incidents.suppress(incident.number, number, context.clock())
    return explanation is not None


def _fits(context: Context, state: AlertState, everything: Sequence[AlertState], place: int) -> bool:
    """Tell whether an alert is within the hourly limit, of which only alerts as severe or more count.

    `place` is the number of alerts that go before it now. Critical ones always go.
    """
    rank, now = state.incident.finding.severity.rank, context.clock()
    lately = sum(
        1
        for other in everything
        if other.at is not None
        and now - other.at < timedelta(hours=1)
        and other.incident.finding.severity.rank <= rank
    )
    return rank == 0 or lately + place < context.config.alerts.per_hour


def alert_resolved(context: Context, tx: Transaction, number: int, *, by: str = "", why: str = "") -> bool:
    """Write the all-clear of a resolved incident to those who were alerted; tell whether it was written.

    `by` and `why` say who or what resolved it. There is none while another incident explains this one.
    """
    state = tx.incidents.alert_state(number)
    incident = state.incident
    explained = incident.suppressed_by in {other.number for other in tx.incidents.list_open()}
    if state.step == 0 or explained or incident.historical or incident.is_silenced(context.clock()):
        return False
    closed = f"{by or 'bounce_watch'}: {why}" if why else by
    _write_alerts(context, tx, incident, AlertKind.ALL_CLEAR, unresolved=(), closed=closed)
    return True


def _rules_by_id(context: Context) -> dict[str, Rule]:
    return {rule.id: rule for rule in context.rules}


def _severity_and_number(state: AlertState) -> tuple[int, int]:
    return state.incident.finding.severity.rank, state.incident.number


def _first(incident: Incident) -> AlertKind:
    return AlertKind.REOPENED if incident.reopened else AlertKind.OPENED


def _due(context: Context, state: AlertState) -> AlertKind | None:
    """Return the alert that is due now, None for none."""
    now, alerts, incident = context.clock(), context.config.alerts, state.incident
    if incident.is_silenced(now):
        return None
    if state.step == 0 or state.at is None:
        settled = now - incident.opened_at >= timedelta(seconds=alerts.settle_seconds)
        return _first(incident) if settled else None
    if incident.quiet_since is not None and state.at < incident.quiet_since:
        return AlertKind.QUIET
    if now - state.at >= timedelta(minutes=alerts.growth_pause_minutes) and _growth(state) > state.step:
        return AlertKind.GREW
    is_over_soon = incident.quiet_since is not None and not incident.finding.severity.is_urgent
    if incident.acknowledged_at is not None or is_over_soon:
        return None
    return AlertKind.REMINDER if now - state.at >= timedelta(hours=alerts.remind_hours) else None


def _growth(state: AlertState) -> int:
    """Return by which factor an incident grew since the first alert: 1, 2, 4 or 8."""
    base = max(state.messages, 1)
    return next((step for step in GROWTH if state.step and state.incident.finding.messages >= step * base), 1)


def _write_alerts(
    context: Context,
    tx: Transaction,
    incident: Incident,
    kind: AlertKind,
    *,
    unresolved: Sequence[Incident],
    growth: int = 1,
    waiting: tuple[str, ...] = (),
    closed: str = "",
) -> None:
    """Write to the people who must act, once per person, incident, kind and step."""
    names = tuple(other.name for other in related(_rules_by_id(context), incident, unresolved))
    explained = tuple(other.name for other in unresolved if other.suppressed_by == incident.number)
    step, examples = _step(context, incident, kind, growth), tx.incidents.refusal_examples(incident.number)
    for address in _recipients(context, incident):
        key = f"alert:{incident.finding.fingerprint}:{incident.number}:{step}:{address.lower()}"
        facts = AlertFacts(
            event_key=key,
            to=address,
            incident=incident,
            kind=kind,
            growth=growth,
            related=names,
            explains=explained,
            examples=examples,
            waiting=waiting,
            closed=closed,
        )
        candidate = Candidate(kind=LetterKind.ALERT, to=address, event_key=key)
        post(context, tx, candidate, partial(context.composer.alert, facts), incident=incident.number)
    tx.incidents.note_notified(incident.number, context.clock(), step=growth)


def _step(context: Context, incident: Incident, kind: AlertKind, growth: int) -> str:
    """Name the event; a reopened incident has its own."""
    match kind:
        case AlertKind.GREW:
            step = f"grew-{growth}"
        case AlertKind.REMINDER:
            step = f"reminder-{context.clock().astimezone(context.config.zone).date().isoformat()}"
        case AlertKind.QUIET:
            step = "quiet"
        case AlertKind.ALL_CLEAR:
            step = "over"
        case _:
            step = "opened"
    return f"{step}-{incident.reopened}" if incident.reopened else step


def _recipients(context: Context, incident: Incident) -> list[str]:
    """Return who must act; never a possibly compromised account alone."""
    if incident.finding.owner is not Owner.SECURITY:
        return list(context.config.organisation.admins)
    security = context.config.security_to
    affected = {sender.lower() for sender in incident.finding.senders}
    if {address.lower() for address in security} <= affected:
        return list(dict.fromkeys([*security, *context.config.organisation.admins]))
    return list(security)
