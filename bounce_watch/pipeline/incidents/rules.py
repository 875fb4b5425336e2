"""Apply the detection rules to each new bounce, and note which incidents fall quiet or stir again.

Silence proves nothing: a blocked account sends no mail. Only a person or a later proof resolves an incident.
"""

from collections.abc import Sequence
from datetime import timedelta

from bounce_watch.detect import Rule, Shape, adds_nothing, evaluate, is_quiet, key_of
from bounce_watch.model import Event, Incident, IncidentState
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.elapsed import has_passed, is_ahead
from bounce_watch.pipeline.incidents.alerts import alert_due, alert_resolved
from bounce_watch.pipeline.incidents.periodic_rules import (
    apply_periodic_rules,
    events_of,
    has_mail_again,
    is_usual_again,
)
from bounce_watch.store import Change, KnownIncident, Recorded, Transaction
from bounce_watch.store.messages.events import MAX_EVENTS

Touched = tuple[Rule, str, list[Event]]
ARCHIVE_AFTER = timedelta(days=1)
"""The least time that an incident of medium or low severity is quiet before it is archived."""

EVERY = timedelta(minutes=1)
"""What silence and usual numbers say is looked at this often: at busy sites that costs a second."""

LATELY = 100
"""Events that usually suffice to see that a bounce adds nothing, such as one of a robot's thousands."""

JUDGED_IN_FULL = 50
"""One message in so many is judged by its whole window, because rules, verdicts or the other watcher's
bounces may have changed what fires."""

MAIL_AGAIN = "bounces arrive again"


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
    without evaluating the whole window again, unless it is historical and the events are not.
    """
    rule, key, events = touched
    now, newest = context.clock(), events[-1]
    if known is not None and not known.state.is_closed and known.historical <= historical:
        if newest.occurred_at < known.first_at - max(rule.window, rule.quiet_resolve):
            return None
        fed = tx.incidents.feed(known.number, events, now, is_new_message=is_first)
        return Recorded(incident=fed, change=Change.UPDATED)
    if known is not None and is_ahead(known.resolved_at, now):
        known = None  # a wrong clock closed it
    if known is not None and _belongs_to(rule, known, newest):
        return None  # a late report about a closed incident
    span = {"since": newest.occurred_at - rule.window, "until": newest.occurred_at + rule.window}

    def near(most: int = MAX_EVENTS) -> list[Event]:
        events = events_of(context, tx, rule, **span, key=key, most=most)
        return [event for event in events if not _belongs_to(rule, known, event)]

    is_settled = (known is None or known.state.is_closed) and newest.message_id % JUDGED_IN_FULL
    if is_settled and adds_nothing(rule, events, near(LATELY), now):
        return None
    finding = evaluate(rule, key, near(), now)
    if finding is None:
        return None
    quiet = historical or now - finding.last_at > context.policy.not_older_than
    return tx.incidents.save_finding(
        finding, now, quiet=quiet, reopen_within=rule.reopen_within, opened_in=newest.message_id
    )


def _belongs_to(rule: Rule, over: KnownIncident | None, event: Event) -> bool:
    """Tell whether an event belongs to the time of a closed incident."""
    if over is None or over.resolved_at is None:
        return False
    return over.first_at - rule.window <= event.occurred_at <= over.resolved_at


def update_incidents(context: Context, tx: Transaction) -> tuple[int, ...]:
    """Once a minute apply the rules that depend on the time; each time write the alerts that are due.

    Return the numbers of the incidents that a proof resolved.
    """
    now, last = context.clock(), tx.state.incidents_at()
    resolved: tuple[int, ...] = ()
    if last is None or has_passed(EVERY, last, now):
        tx.state.note_incidents(now)
        apply_periodic_rules(context, tx)
        resolved = _look_at_open(context, tx)
    alert_due(context, tx)
    return resolved


def _look_at_open(context: Context, tx: Transaction) -> tuple[int, ...]:
    """Note which incidents are quiet or not any more; return the numbers of those that a proof resolved."""
    rules = {rule.id: rule for rule in context.rules}
    resolved = []
    for incident in tx.incidents.list_open():
        rule = rules.get(incident.finding.rule_id)
        if rule is not None and has_mail_again(context, tx, rule, incident):
            tx.incidents.resolve(incident.number, context.clock(), why=MAIL_AGAIN)
            alert_resolved(context, tx, incident.number, why=MAIL_AGAIN)
            resolved.append(incident.number)
        else:
            _note_silence(context, tx, rule, incident)
    return tuple(resolved)


def _note_silence(context: Context, tx: Transaction, rule: Rule | None, incident: Incident) -> None:
    """Let an incident fall quiet, stir again, or be archived; one whose rule is switched off is quiet."""
    now = context.clock()
    is_quiet_now = rule is None or _has_no_new_bounces(context, tx, rule, incident)
    is_noted = incident.state is IncidentState.QUIET
    if is_quiet_now and not (is_noted and not is_ahead(incident.quiet_since, now)):
        tx.incidents.fall_quiet(incident.number, now)
    elif not is_noted:
        return
    elif not is_quiet_now:
        tx.incidents.wake(incident.number, now)
    elif not incident.finding.severity.is_urgent and incident.quiet_since is not None:
        span = max(rule.quiet_resolve if rule else ARCHIVE_AFTER, ARCHIVE_AFTER)
        if now - incident.quiet_since >= span:
            tx.incidents.archive(incident.number, now)


def _has_no_new_bounces(context: Context, tx: Transaction, rule: Rule, incident: Incident) -> bool:
    if rule.shape is Shape.ABSENCE:
        return False  # its silence is what it is about
    if rule.shape is Shape.BASELINE:
        return is_usual_again(context, tx, rule, incident)
    now, is_quiet_already = context.clock(), incident.state is IncidentState.QUIET
    # For an incident found in old mail the quiet time has passed long ago.
    since = incident.finding.last_at if incident.historical else incident.opened_at
    if not is_quiet_already and not has_passed(rule.quiet_resolve, since, now):
        return False
    since = now - rule.quiet_resolve - rule.window
    return is_quiet(rule, events_of(context, tx, rule, since, until=now, key=incident.finding.key), now)
