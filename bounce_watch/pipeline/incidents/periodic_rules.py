"""Apply the rules that no single bounce triggers: unusual numbers, and a feed that stopped."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bounce_watch.detect import (
    MIN_GAP,
    TENANT,
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
from bounce_watch.store.messages.events import MAX_EVENTS

HISTORY = timedelta(weeks=8)
"""The time from which a baseline is learned."""

READ_LATELY = timedelta(hours=1)
"""A mailbox that was not read for longer has another problem."""

STEP = timedelta(hours=1)
_ONE_COLUMN = (
    *(Facet.SENDER, Facet.SENDER_DOMAIN, Facet.RECIPIENT, Facet.RECIPIENT_DOMAIN),
    Facet.PROVEN,
)


def apply_periodic_rules(context: Context, tx: Transaction) -> None:
    """Apply the rules that depend on the time, not on a new event."""
    now = context.clock()
    for rule in context.rules:
        for finding in _findings(context, tx, rule):
            tx.incidents.save_finding(finding, now, quiet=False, reopen_within=rule.reopen_within)


def has_mail_again(context: Context, tx: Transaction, rule: Rule, incident: Incident) -> bool:
    """Tell whether a new trusted report proves that an incident of a rule about absence is over."""
    if rule.shape is not Shape.ABSENCE:
        return False
    key, evidence = incident.finding.key, rule.evidence or context.site.accepted_evidence
    newest = tx.bounces.newest_at(evidence, context.clock(), None if key == TENANT else key)
    return newest is not None and newest > incident.finding.last_at


def is_usual_again(context: Context, tx: Transaction, rule: Rule, incident: Incident) -> bool:
    """Tell whether nothing unusual was seen for `quiet_resolve`."""
    now = context.clock()
    if now - incident.opened_at <= rule.quiet_resolve:
        return False
    key = incident.finding.key
    events = events_of(context, tx, rule, now - rule.quiet_resolve - rule.widest, until=now, key=key)
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
            yield from _silences(context, tx, rule)
        case _:
            return


def _silences(context: Context, tx: Transaction, rule: Rule) -> Iterator[Finding]:
    """Find the mailboxes that are read, but get no trusted reports; junk does not count as a report."""
    now, evidence = context.clock(), rule.evidence or context.site.accepted_evidence
    mailboxes = tx.mailboxes.polled_since(now - READ_LATELY)
    for mailbox in mailboxes:
        last = tx.bounces.newest_at(evidence, now, mailbox)
        if last is None or now - last < (rule.gap or MIN_GAP):
            continue
        counts = tx.bounces.messages_by_hour(
            since=last - HISTORY, until=last, evidence=evidence, mailbox=mailbox
        )
        learned = learn(counts, min(counts, default=last), last, rule, context.config.zone)
        key = TENANT if len(mailboxes) == 1 else mailbox
        if (silence := find_silence(rule, learned, last, now, key)) is not None:
            yield silence


def _unusual(context: Context, tx: Transaction, rule: Rule) -> Iterator[Finding]:
    now = context.clock()
    groups: dict[str, list[Event]] = {}
    for event in events_of(context, tx, rule, now - rule.widest, until=now):
        groups.setdefault(key_of(rule, event, context.site.accepted_evidence) or "", []).append(event)
    for key, events in groups.items():
        if len({event.message_id for event in events}) < rule.open_at:
            continue
        # While an incident is open nothing is learned: its own messages would soon be usual.
        known = tx.incidents.find(f"{rule.id}:{key}")
        is_open = known is not None and known.state is IncidentState.OPEN
        until = known.first_at if known and is_open else now - rule.widest
        finding = find_unusual(rule, key, _learned(context, tx, rule, key, until), events, now)
        if finding is not None:
            yield finding


def events_of(
    context: Context,
    tx: Transaction,
    rule: Rule,
    since: datetime,
    *,
    until: datetime,
    key: str | None = None,
    most: int = MAX_EVENTS,
) -> list[Event]:
    """Return the events of a rule, of one key or of all, among the newest `most` of the store."""
    column: dict[str, Any] = {}
    if key is not None and rule.group_by is Facet.SENDER_AND_RECIPIENT:
        sender, _, recipient = key.partition(" to ")
        column = {Facet.SENDER.value: [sender], Facet.RECIPIENT.value: [recipient]}
    elif key is not None and rule.group_by in _ONE_COLUMN:
        column = {rule.group_by.value: [key]}
    events = tx.bounces.events(since=since, until=until, causes=_causes(rule, key), limit=most, **column)
    accepted = context.site.accepted_evidence
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
    """Return the causes of a group, empty for all: a condition without causes matches any."""
    if key is not None and rule.group_by is Facet.CAUSE:
        return frozenset({Cause.read(key)})
    named = [condition.causes for condition in rule.where]
    return frozenset().union(*named) if all(named) else frozenset()
