"""Mails to the admins about incidents: opened (after a settle time), grown, daily reminder, resolved."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from bounce_watch.detect import Rule, find_explanation, related
from bounce_watch.model import Incident, LetterKind, Owner, Severity
from bounce_watch.notifications.alert.code_advice import code_advice
from bounce_watch.notifications.facts import AlertFacts, AlertKind
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.outbox.enqueue import post
from bounce_watch.store import Transaction
from bounce_watch.store.incidents.lifecycle import AlertState

GROWTH = (8, 4, 2)


def alert_opened(context: Context, tx: Transaction, incident: Incident) -> bool:
    """Alert about a new incident that cannot wait for the next poll: critical and for the security team."""
    finding = incident.finding
    urgent = finding.severity is Severity.CRITICAL and finding.owner is Owner.SECURITY
    if not urgent or incident.historical or incident.is_silenced(context.clock()):
        return False
    _write_alerts(context, tx, incident, _first(incident), unresolved=tx.incidents.list_open())
    return True


def alert_due(context: Context, tx: Transaction) -> int:
    """Write the alerts that are due about open incidents; return the number of incidents alerted about.

    An incident that another one explains is noted as suppressed. Beyond the hourly limit only critical ones
    are alerted about; the others wait, and are listed in the digest in the meantime.
    """
    now, rules, everything = context.clock(), _rules_by_id(context), tx.incidents.alert_states()
    unresolved = [state.incident for state in everything]
    lately = sum(1 for state in everything if state.at is not None and now - state.at < timedelta(hours=1))
    count = 0
    for state in sorted(everything, key=_severity_and_number):
        explanation = find_explanation(rules, state.incident, unresolved)
        tx.incidents.suppress(state.incident.number, explanation.number if explanation else None, now)
        kind = None if explanation else _due(context, state)
        critical = state.incident.finding.severity is Severity.CRITICAL
        if kind is None or (lately + count >= context.config.alerts.per_hour and not critical):
            continue
        _write_alerts(context, tx, state.incident, kind, unresolved=unresolved, growth=_growth(state))
        count += 1
    return count


def alert_resolved(context: Context, tx: Transaction, number: int) -> bool:
    """Write the all-clear of a resolved incident to those who were alerted; tell whether it was written.

    There is none while the incident that explains it is still open.
    """
    state = tx.incidents.alert_state(number)
    incident = state.incident
    explained = incident.suppressed_by in {other.number for other in tx.incidents.list_open()}
    if state.step == 0 or explained or incident.historical or incident.is_silenced(context.clock()):
        return False
    _write_alerts(context, tx, incident, AlertKind.ALL_CLEAR, unresolved=())
    return True


def _rules_by_id(context: Context) -> dict[str, Rule]:
    return {rule.id: rule for rule in context.rules}


def _severity_and_number(state: AlertState) -> tuple[int, int]:
    return list(Severity).index(state.incident.finding.severity), state.incident.number


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
    if now - state.at >= timedelta(minutes=alerts.growth_pause_minutes) and _growth(state) > state.step:
        return AlertKind.GREW
    waits = incident.acknowledged_at is None and now - state.at >= timedelta(hours=alerts.remind_hours)
    return AlertKind.REMINDER if waits else None


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
            advice=code_advice(context.catalogue, examples.entries),
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
