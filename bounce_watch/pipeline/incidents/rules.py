"""Apply the detection rules to each new bounce, and resolve incidents that stayed quiet."""

from collections.abc import Sequence

from bounce_watch.detect import Rule, Shape, evaluate, is_quiet, key_of
from bounce_watch.model import Event, Incident, IncidentState
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.incidents.alerts import alert_due, alert_opened, alert_resolved
from bounce_watch.pipeline.incidents.periodic_rules import apply_periodic_rules, events_of, is_usual_again
from bounce_watch.store import Change, KnownIncident, Recorded, Transaction

Touched = tuple[Rule, str, list[Event]]


def apply_rules(
    context: Context, tx: Transaction, events: Sequence[Event], *, historical: bool, is_first: bool = False
) -> tuple[Recorded, ...]:
    """Apply every rule to new events of a message; return the incidents that they opened or extended.

    `is_first`: the message had no events before, so no incident includes it yet.
    """
    touched = _touched(context, events)
    known = tx.incidents.find_all({f"{rule.id}:{key}" for rule, key, _ in touched}) if touched else {}
    found = [
        _apply(context, tx, one, known.get(f"{one[0].id}:{one[1]}"), historical=historical, is_first=is_first)
        for one in touched
    ]
    return tuple(recorded for recorded in found if recorded is not None)


def _touched(context: Context, events: Sequence[Event]) -> list[Touched]:
    """Return each rule and key that the events belong to, with these events."""
    touched: dict[tuple[str, str], Touched] = {}
    for event in events:
        for rule in context.rules:
            if rule.shape not in (Shape.COUNT, Shape.DISTINCT):
                continue
            key = key_of(rule, event, context.site.accepted_evidence)
            if key is not None:
                touched.setdefault((rule.id, key), (rule, key, []))[2].append(event)
    return list(touched.values())


def _apply(
    context: Context,
    tx: Transaction,
    touched: Touched,
    known: KnownIncident | None,
    *,
    historical: bool,
    is_first: bool,
) -> Recorded | None:
    """Apply one rule to events of one key; return the incident that they opened or extended, None for none.

    `known` is the newest incident of this rule and key. While it is open new events are added to it
    without evaluating the whole window again.
    """
    rule, key, events = touched
    now, newest = context.clock(), events[-1]
    if known is not None and known.state is not IncidentState.RESOLVED:
        if newest.occurred_at < known.first_at - max(rule.window, rule.quiet_resolve):
            return None
        fed = tx.incidents.feed(known.number, events, now, is_new_message=is_first)
        return Recorded(incident=fed, change=Change.UPDATED)
    if known is not None and _belongs_to(rule, known, newest):
        return None  # a late report about a resolved incident
    near = events_of(
        context, tx, rule, newest.occurred_at - rule.window, until=newest.occurred_at + rule.window, key=key
    )
    finding = evaluate(rule, key, [event for event in near if not _belongs_to(rule, known, event)], now)
    if finding is None:
        return None
    quiet = historical or now - finding.last_at > context.policy.not_older_than
    recorded = tx.incidents.save_finding(finding, now, quiet=quiet, reopen_within=rule.reopen_within)
    if recorded.change is Change.OPENED:
        alert_opened(context, tx, recorded.incident)
    return recorded


def _belongs_to(rule: Rule, over: KnownIncident | None, event: Event) -> bool:
    """Tell whether an event belongs to the time of a resolved incident."""
    if over is None or over.resolved_at is None:
        return False
    return over.first_at - rule.window <= event.occurred_at <= over.resolved_at


def resolve_quiet_incidents(context: Context, tx: Transaction) -> tuple[int, ...]:
    """Apply the periodic rules, resolve quiet incidents and send the alerts that are due.

    Return the numbers of the incidents that were resolved.
    """
    apply_periodic_rules(context, tx)
    if not (incidents := tx.incidents.list_open()):
        return ()
    now, rules = context.clock(), {rule.id: rule for rule in context.rules}
    resolved = []
    for incident in incidents:
        rule = rules.get(incident.finding.rule_id)
        if rule is not None and not _is_over(context, tx, rule, incident):
            continue
        why = "nothing more was seen" if rule else "its rule is switched off"
        tx.incidents.resolve(incident.number, now, why=why)
        alert_resolved(context, tx, incident.number)
        resolved.append(incident.number)
    alert_due(context, tx)
    return tuple(resolved)


def _is_over(context: Context, tx: Transaction, rule: Rule, incident: Incident) -> bool:
    if rule.shape in (Shape.BASELINE, Shape.ABSENCE):
        return is_usual_again(context, tx, rule, incident)
    now = context.clock()
    # For an incident found in old mail the quiet time has passed long ago.
    since = incident.finding.last_at if incident.historical else incident.opened_at
    if now - since <= rule.quiet_resolve:
        return False
    since = now - rule.quiet_resolve - rule.window
    return is_quiet(rule, events_of(context, tx, rule, since, until=now, key=incident.finding.key), now)
