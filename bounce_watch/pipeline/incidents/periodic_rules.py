"""Apply the rules that no single bounce triggers: unusual numbers, and a feed that stopped."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bounce_watch.detect import (
    MAX_ARRIVALS,
    Baseline,
    Facet,
    Rule,
    Shape,
    find_silence,
    find_unusual,
    key_of,
    learn,
)
from bounce_watch.model import Cause, Event, Finding, Incident, IncidentState
from bounce_watch.pipeline.context import Context
from bounce_watch.store import Transaction

HISTORY = timedelta(weeks=8)
"""The time from which a baseline is learned."""

STEP = timedelta(hours=1)


def apply_periodic_rules(context: Context, tx: Transaction) -> None:
    """Apply the rules that depend on the time, not on a new event."""
    now = context.clock()
    for rule in context.rules:
        for finding in _findings(context, tx, rule):
            tx.incidents.save_finding(finding, now, quiet=False, reopen_within=rule.reopen_within)


def is_usual_again(context: Context, tx: Transaction, rule: Rule, incident: Incident) -> bool:
    """Tell whether an incident of these rules is over: nothing unusual for `quiet_resolve`, or mail again."""
    now = context.clock()
    if rule.shape is Shape.ABSENCE:
        return find_silence(rule, tx.messages.arrivals(MAX_ARRIVALS), now) is None
    if now - incident.opened_at <= rule.quiet_resolve:
        return False
    key = incident.finding.key
    events = _events(context, tx, rule, now - rule.quiet_resolve - rule.widest, key)
    learned = _learned(context, tx, rule, key, incident.finding.first_at)
    moments = [now - STEP * step for step in range(int(rule.quiet_resolve / STEP))]
    return not any(
        find_unusual(
            rule, key, learned, [e for e in events if e.occurred_at <= at], at, p=rule.usual.p_resolve
        )
        for at in moments
    )


def _findings(context: Context, tx: Transaction, rule: Rule) -> Iterator[Finding]:
    match rule.shape:
        case Shape.BASELINE:
            yield from _unusual(context, tx, rule)
        case Shape.ABSENCE:
            silence = find_silence(rule, tx.messages.arrivals(MAX_ARRIVALS), context.clock())
            if silence is not None:
                yield silence
        case _:
            return


def _unusual(context: Context, tx: Transaction, rule: Rule) -> Iterator[Finding]:
    now = context.clock()
    groups: dict[str, list[Event]] = {}
    for event in _events(context, tx, rule, now - rule.widest):
        groups.setdefault(key_of(rule, event, context.site.accepted_evidence) or "", []).append(event)
    for key, events in groups.items():
        if len({event.message_id for event in events}) < rule.open_at:
            continue
        # While an incident is open nothing is learned: its own messages would soon be usual.
        known = tx.incidents.find(f"{rule.id}:{key}")
        is_open = known is not None and known.state is not IncidentState.RESOLVED
        until = known.first_at if known and is_open else now - rule.widest
        finding = find_unusual(rule, key, _learned(context, tx, rule, key, until), events, now)
        if finding is not None:
            yield finding


def _events(
    context: Context, tx: Transaction, rule: Rule, since: datetime, key: str | None = None
) -> list[Event]:
    """Return the events of a rule since then, of one key or of all."""
    accepted = context.site.accepted_evidence
    events = tx.bounces.events(since=since, until=context.clock(), causes=_causes(rule, key))
    return [e for e in events if (found := key_of(rule, e, accepted)) is not None and key in (None, found)]


def _learned(context: Context, tx: Transaction, rule: Rule, key: str, until: datetime) -> Baseline:
    counts = tx.bounces.messages_by_hour(
        since=until - HISTORY,
        until=until,
        causes=_causes(rule, key),
        evidence=rule.evidence or context.site.accepted_evidence,
    )
    return learn(counts, min(counts, default=until), until, rule, context.config.zone)


def _causes(rule: Rule, key: str | None) -> frozenset[Cause]:
    """Return the causes that a group can consist of, empty for all."""
    if key is not None and rule.group_by is Facet.CAUSE:
        return frozenset({Cause.read(key)})
    named = [condition.causes for condition in rule.where]
    return frozenset().union(*named) if all(named) else frozenset()
