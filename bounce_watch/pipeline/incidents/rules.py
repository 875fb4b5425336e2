"""Many bounces, one incident: the rules look at each new bounce, and settle what has fallen quiet."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bounce_watch.detect import Rule, Shape, evaluate, is_quiet, key_of
from bounce_watch.model import Event, Incident, IncidentState
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.incidents.alerts import tell_at_once, tell_due, tell_over
from bounce_watch.pipeline.incidents.periodic_rules import is_usual_again, watch
from bounce_watch.pipeline.windows import Foreseen, around, foresee_windows, of_key
from bounce_watch.store import Change, Transaction

Touched = tuple[Rule, str, list[Event]]
NOTHING: Mapping[str, Foreseen] = MappingProxyType({})


def detect(
    context: Context,
    tx: Transaction,
    events: Sequence[Event],
    *,
    historical: bool,
    foreseen: Mapping[str, Foreseen] = NOTHING,
) -> tuple[int, ...]:
    """Let every rule look at the new events; return the numbers of the incidents that opened.

    `foreseen` is what was asked for their group, by the rule's id; what it does not hold is asked for here.
    """
    opened = []
    touched = _touched(context, events)
    known = tx.find_incidents({f"{rule.id}:{key}" for rule, key, _ in touched})
    for rule, key, found in touched:
        before, asked = known.get(f"{rule.id}:{key}"), foreseen.get(rule.id)
        incident = _look(context, tx, (rule, key, found), before, asked, historical=historical)
        if incident is not None:
            opened.append(incident.number)
    return tuple(opened)


def foresee(context: Context, tx: Transaction, events: Sequence[Event]) -> dict[str, Foreseen]:
    """Ask the store at once for what `detect` will need for each of these events, in turn.

    Of a key that had an incident nothing is foreseen: mostly it is still open, and holds many.
    """
    wanted: dict[str, list[Touched]] = {}
    touched = _touched(context, events)
    known = tx.find_incidents({f"{rule.id}:{key}" for rule, key, _ in touched})
    for rule, key, found in touched:
        if f"{rule.id}:{key}" not in known:
            wanted.setdefault(rule.id, []).append((rule, key, found))
    asked = {
        name: foresee_windows(context, tx, rules[0][0], [(key, found) for _, key, found in rules])
        for name, rules in wanted.items()
    }
    return {name: foreseen for name, foreseen in asked.items() if foreseen is not None}


def _touched(context: Context, events: Sequence[Event]) -> list[Touched]:
    """Return each rule and key that the events speak to, with these events."""
    touched: dict[tuple[str, str], Touched] = {}
    for event in events:
        for rule in context.rules:
            if rule.shape not in (Shape.COUNT, Shape.DISTINCT):
                continue
            key = key_of(rule, event, context.site.accepted_evidence)
            if key is not None:
                touched.setdefault((rule.id, key), (rule, key, []))[2].append(event)
    return list(touched.values())


def _look(
    context: Context,
    tx: Transaction,
    touched: Touched,
    known: Incident | None,
    foreseen: Foreseen | None,
    *,
    historical: bool,
) -> Incident | None:
    """Return the incident that these events opened, None when they opened none.

    `known` is the newest of this rule and key. What comes while it is open belongs to it, without another
    look at the whole window.
    """
    rule, key, events = touched
    now, newest = context.clock(), events[-1]
    if known is not None and known.state is not IncidentState.RESOLVED:
        if newest.occurred_at >= known.finding.first_at - max(rule.window, rule.quiet_resolve):
            for event in events:
                tx.add_proof(known.number, event, now)
        return None
    if known is not None and _belongs_to(rule, known, newest):
        return None  # a late report of what is over
    near = _near(context, tx, touched, foreseen)
    finding = evaluate(rule, key, [event for event in near if not _belongs_to(rule, known, event)], now)
    if finding is None:
        return None
    quiet = historical or now - finding.last_at > context.policy.not_older_than
    recorded = tx.save_finding(finding, now, quiet=quiet, reopen_within=rule.reopen_within)
    if recorded.change is not Change.OPENED:
        return None
    tell_at_once(context, tx, recorded.incident)
    return recorded.incident


def _near(context: Context, tx: Transaction, touched: Touched, foreseen: Foreseen | None) -> list[Event]:
    """Return the events with this key that any window around the newest event can hold."""
    rule, key, events = touched
    span = around(rule, events[-1:])
    if foreseen is not None and foreseen.holds(key, span):
        return foreseen.within(key, span, newest=events[-1].bounce_id)
    return of_key(context, tx, rule, key, span)


def _belongs_to(rule: Rule, over: Incident | None, event: Event) -> bool:
    """Tell whether an event lies in the time of an incident that is over."""
    if over is None or over.resolved_at is None:
        return False
    return over.finding.first_at - rule.window <= event.occurred_at <= over.resolved_at


def settle(context: Context, tx: Transaction) -> tuple[int, ...]:
    """Do what is due at each look: watch what no single event shows, resolve what is over, tell the admins.

    Return the numbers of the incidents that were resolved.
    """
    watch(context, tx)
    now, rules = context.clock(), {rule.id: rule for rule in context.rules}
    resolved = []
    for incident in tx.incidents_open():
        rule = rules.get(incident.finding.rule_id)
        if rule is not None and not _is_over(context, tx, rule, incident):
            continue
        why = "nothing more was seen" if rule else "its rule is switched off"
        tx.resolve_incident(incident.number, now, why=why)
        tell_over(context, tx, incident.number)
        resolved.append(incident.number)
    tell_due(context, tx)
    return tuple(resolved)


def _is_over(context: Context, tx: Transaction, rule: Rule, incident: Incident) -> bool:
    if rule.shape in (Shape.BASELINE, Shape.ABSENCE):
        return is_usual_again(context, tx, rule, incident)
    now = context.clock()
    # An incident found in old mail needs no quiet time that has passed long ago.
    since = incident.finding.last_at if incident.historical else incident.opened_at
    if now - since <= rule.quiet_resolve:
        return False
    span = now - rule.quiet_resolve - rule.window, now
    return is_quiet(rule, of_key(context, tx, rule, incident.finding.key, span), now)
