"""Mails to the admins about incidents: opened (after a settle time), grown, quiet, reminder, resolved."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import structlog

from bounce_watch.detect import Explanations, Facet, Rule, related
from bounce_watch.model import Incident, IncidentState, LetterKind, Owner, Severity
from bounce_watch.notifications.facts import AlertFacts, AlertKind
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.elapsed import has_passed
from bounce_watch.pipeline.incidents.alert_budget import Alert, Budget, join_opened, within_budget
from bounce_watch.pipeline.incidents.dns_facts import dns_facts_of
from bounce_watch.pipeline.outbox.enqueue import post
from bounce_watch.store import Transaction
from bounce_watch.store.incidents.lifecycle import AlertState

GROWTH = (8, 4, 2)
LEAST_PROVEN = 4

log = structlog.get_logger()


def alert_opened(context: Context, tx: Transaction, numbers: Sequence[int]) -> int:
    """Alert about what one message opened if any of it cannot wait for the next poll; return how many alerts.

    That is what is critical and for the security team. The last alert of the hour is left to `alert_due`,
    which lists in it all that does not fit.
    """
    states = [tx.incidents.alert_state(number) for number in numbers]
    if not any(map(_is_urgent, states)):
        return 0
    now, active = context.clock(), tx.incidents.list(IncidentState.OPEN)
    explanations = Explanations(context.rules, active)
    due = [
        (_recipients(context, state.incident), (state, _first(state.incident)))
        for state in sorted(states, key=_severity_and_number)
        if not (state.incident.historical or state.incident.is_silenced(now))
        and (_is_urgent(state) or not _is_explained(context, tx, state.incident, explanations))
    ]
    budget = _budget(context, tx)
    urgent = [alert for alert in join_opened(due) if any(_is_urgent(state) for state, _ in alert.due)]
    written = [alert for alert in urgent if budget.takes(alert, keep=1)]
    for alert in written:
        _write(context, tx, alert, unresolved=active)
    return len(written)


def _is_urgent(state: AlertState) -> bool:
    finding = state.incident.finding
    return finding.severity is Severity.CRITICAL and finding.owner is Owner.SECURITY


def alert_due(context: Context, tx: Transaction) -> int:
    """Write the alerts that are due about open incidents; return the number of alerts.

    An incident that another one explains is noted as suppressed. Severe ones go first: what was written about
    lesser ones never uses up the hourly limit of the others. What waits is named in the alerts that are sent.
    """
    everything = tx.incidents.alert_states()
    active = [state.incident for state in everything if state.incident.state is IncidentState.OPEN]
    explanations = Explanations(context.rules, active)
    due = [
        (_recipients(context, state.incident), (state, kind))
        for state in sorted(everything, key=_severity_and_number)
        if not _is_explained(context, tx, state.incident, explanations)
        and (kind := _due(context, state)) is not None
    ]
    if not due:
        return 0
    now, later = within_budget(join_opened(due), _budget(context, tx))
    waiting = tuple(state.incident.name for alert in later for state, _ in alert.due)
    for alert in now:
        _write(context, tx, alert, unresolved=active, waiting=waiting)
    if waiting:
        log.warning("alerts_wait", incidents=", ".join(waiting), per_hour=context.config.alerts.per_hour)
    return len(now)


def _budget(context: Context, tx: Transaction) -> Budget:
    lately = tx.outbox.count_alerts(context.clock() - timedelta(hours=1))
    return Budget(context.config.alerts.per_hour, lately)


def _is_explained(context: Context, tx: Transaction, incident: Incident, explanations: Explanations) -> bool:
    """Note and tell whether another incident explains this one. A quiet one explains nothing new."""
    if incident.state is IncidentState.QUIET:
        return incident.suppressed_by is not None
    explanation = explanations.find(incident)
    number = explanation.number if explanation else None
    if number != incident.suppressed_by:
        tx.incidents.suppress(incident.number, number, context.clock())
    return explanation is not None


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
    alert = Alert(to=_recipients(context, incident), due=((state, AlertKind.ALL_CLEAR),))
    _write(context, tx, alert, unresolved=(), closed=closed)
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
        is_settled = has_passed(timedelta(seconds=alerts.settle_seconds), incident.opened_at, now)
        return _first(incident) if is_settled else None
    if incident.quiet_since is not None and state.at < incident.quiet_since:
        return AlertKind.QUIET
    pause = timedelta(minutes=alerts.growth_pause_minutes)
    if has_passed(pause, state.at, now) and _growth(context, state) > state.step:
        return AlertKind.GREW
    is_over_soon = incident.quiet_since is not None and not incident.finding.severity.is_urgent
    if incident.acknowledged_at is not None or is_over_soon:
        return None
    return AlertKind.REMINDER if has_passed(timedelta(hours=alerts.remind_hours), state.at, now) else None


def _growth(context: Context, state: AlertState) -> int:
    """Return by which factor an incident grew since the first alert: 1, 2, 4 or 8.

    What DNS proves opens at one message, where other rules need several.
    """
    rule = _rules_by_id(context).get(state.incident.finding.rule_id)
    least = LEAST_PROVEN if rule and rule.group_by is Facet.PROVEN else 1
    base = max(state.messages, least)
    return next((step for step in GROWTH if state.step and state.incident.finding.messages >= step * base), 1)


def _write(
    context: Context,
    tx: Transaction,
    alert: Alert,
    *,
    unresolved: Sequence[Incident],
    waiting: tuple[str, ...] = (),
    closed: str = "",
) -> None:
    """Write to the people who must act, once per person, incident, kind and step."""
    (state, kind), *others = alert.due
    incident, growth = state.incident, _growth(context, state)
    names = tuple(other.name for other in related(_rules_by_id(context), incident, unresolved))
    explained = tuple(other.name for other in unresolved if other.suppressed_by == incident.number)
    step, examples = _step(context, incident, kind, growth), tx.incidents.refusal_examples(incident.number)
    dns, records = dns_facts_of(tx, _rules_by_id(context).get(incident.finding.rule_id), incident)
    for address in alert.to:
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
            dns=dns,
            records=records,
            others=tuple((other.incident, why) for other, why in others),
        )
        candidate = Candidate(kind=LetterKind.ALERT, to=address, event_key=key)
        post(context, tx, candidate, partial(context.composer.alert, facts), incident=incident.number)
    for told, _ in alert.due:
        tx.incidents.note_notified(told.incident.number, context.clock(), step=_growth(context, told))


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


def _recipients(context: Context, incident: Incident) -> tuple[str, ...]:
    """Return who must act; never a possibly compromised account alone."""
    if incident.finding.owner is not Owner.SECURITY:
        return tuple(context.config.organisation.admins)
    security = context.config.security_to
    affected = {sender.lower() for sender in incident.finding.senders}
    if {address.lower() for address in security} <= affected:
        return tuple(dict.fromkeys([*security, *context.config.organisation.admins]))
    return tuple(security)
