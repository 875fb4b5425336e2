"""Many bounces, one incident: the rules look at each new bounce, and admins hear when one opens."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from bounce_watch.detect import Facet, Rule, Shape, evaluate, is_quiet, key_of
from bounce_watch.model import Event, Incident, LetterKind, Owner
from bounce_watch.pipeline.house import House
from bounce_watch.pipeline.posting import post
from bounce_watch.reply.compose import AlertFacts
from bounce_watch.reply.gate import Candidate
from bounce_watch.store import Change, Transaction


def detect(house: House, tx: Transaction, events: Sequence[Event], *, historical: bool) -> tuple[int, ...]:
    """Let every rule look at the new events; return the numbers of the incidents that opened."""
    opened = []
    for rule, key, event in _touched(house, events):
        incident = _evaluate(house, tx, rule, key, event, historical=historical)
        if incident is not None:
            opened.append(incident.number)
    return tuple(opened)


def _touched(house: House, events: Sequence[Event]) -> list[tuple[Rule, str, Event]]:
    """Return each rule and key that the events speak to, once, with the newest event for it."""
    touched: dict[tuple[str, str], tuple[Rule, str, Event]] = {}
    for event in events:
        for rule in house.rules:
            if rule.shape not in (Shape.COUNT, Shape.DISTINCT):
                continue
            key = key_of(rule, event, house.site.accepted_evidence)
            if key is not None:
                touched[rule.id, key] = rule, key, event
    return list(touched.values())


def _evaluate(
    house: House, tx: Transaction, rule: Rule, key: str, event: Event, *, historical: bool
) -> Incident | None:
    """Return the incident that this event opened, None when it opened none."""
    now = house.clock()
    finding = evaluate(rule, key, _near(house, tx, rule, key, event), now)
    if finding is None:
        return None
    quiet = historical or now - finding.last_at > house.policy.not_older_than
    recorded = tx.save_finding(finding, now, quiet=quiet)
    if recorded.change is not Change.OPENED:
        return None
    if not quiet:
        alert(house, tx, recorded.incident)
    return recorded.incident


def _near(house: House, tx: Transaction, rule: Rule, key: str, event: Event) -> list[Event]:
    """Return the events with this key that any window around the event can hold."""
    span = event.occurred_at - rule.window, event.occurred_at + rule.window
    return _of_key(house, tx, rule, key, span)


def _of_key(
    house: House, tx: Transaction, rule: Rule, key: str, span: tuple[datetime, datetime]
) -> list[Event]:
    """Return what the rule sees of a key; the store narrows down, the rule decides."""
    # A condition without causes can be met by any event.
    named = [condition.causes for condition in rule.where]
    causes = frozenset().union(*named) if all(named) else frozenset()
    events = tx.events(
        since=span[0],
        until=span[1],
        causes=causes,
        sender=key if rule.group_by is Facet.SENDER else None,
        sender_domain=key if rule.group_by is Facet.SENDER_DOMAIN else None,
        recipient_domain=key if rule.group_by is Facet.RECIPIENT_DOMAIN else None,
    )
    accepted = house.site.accepted_evidence
    return [event for event in events if key_of(rule, event, accepted) == key]


def alert(house: House, tx: Transaction, incident: Incident) -> None:
    """Write to the people who must act on an incident, each once."""
    security = incident.finding.owner is Owner.SECURITY
    config = house.config
    for address in config.security_to if security else config.organisation.admins:
        key = f"alert:{incident.finding.fingerprint}:{incident.number}:opened:{address.lower()}"
        candidate = Candidate(kind=LetterKind.ALERT, to=address, event_key=key)
        facts = AlertFacts(to=address, event_key=key, incident=incident)
        post(house, tx, candidate, partial(house.composer.alert, facts), incident=incident.number)


def settle(house: House, tx: Transaction) -> tuple[int, ...]:
    """Resolve the incidents that have been quiet for as long as their rule asks; return their numbers."""
    now = house.clock()
    rules = {rule.id: rule for rule in house.rules}
    resolved = []
    for incident in tx.incidents_open():
        rule = rules.get(incident.finding.rule_id)
        if rule is None or not _is_over(house, tx, rule, incident):
            continue
        tx.resolve_incident(incident.number, now, why="nothing more was seen")
        resolved.append(incident.number)
    return tuple(resolved)


def _is_over(house: House, tx: Transaction, rule: Rule, incident: Incident) -> bool:
    now = house.clock()
    if now - incident.updated_at <= rule.quiet_resolve:
        return False
    span = now - rule.quiet_resolve - rule.window, now
    return is_quiet(rule, _of_key(house, tx, rule, incident.finding.key, span), now)
