"""Which incident explains another: the lesser one is kept, but causes no alert."""

from collections.abc import Iterable, Mapping

from bounce_watch.detect.rule import Facet, Rule
from bounce_watch.model import Finding, Incident
from bounce_watch.model.address import domain_of


def explains(rule: Rule, greater: Finding, lesser: Finding) -> bool:
    """Tell whether the finding of `rule` explains all of another rule's finding.

    It does if it concerns the whole organization, or if its sender (or domain) is the only one of the other
    finding, or accounts for at least half of its messages.
    """
    if lesser.rule_id not in rule.inhibits:
        return False
    if rule.group_by is Facet.TENANT or greater.key == lesser.key:
        return True
    named = _named(rule.group_by, lesser)
    mostly = 2 * greater.messages >= lesser.messages
    return greater.key in named and (mostly or len(named) == 1)


class Explanations:
    """Unresolved incidents by rule and key: looking for one costs the same however many there are."""

    def __init__(self, rules: Iterable[Rule], unresolved: Iterable[Incident]) -> None:
        self._rules = tuple(rule for rule in rules if rule.inhibits)
        self._known: dict[tuple[str, str], list[tuple[int, Incident]]] = {}
        greater = {rule.id: rule for rule in self._rules}
        for place, one in enumerate(unresolved):
            if rule := greater.get(one.finding.rule_id):
                key = "" if rule.group_by is Facet.TENANT else one.finding.key
                self._known.setdefault((rule.id, key), []).append((place, one))

    def find(self, lesser: Incident) -> Incident | None:
        """Return the first unresolved incident that explains another one, None for none."""
        found = (
            (place, other)
            for rule in self._rules
            if lesser.finding.rule_id in rule.inhibits
            for key in _keys(rule, lesser.finding)
            for place, other in self._known.get((rule.id, key), ())
            if other.number != lesser.number and explains(rule, other.finding, lesser.finding)
        )
        return min(found, default=(0, None), key=lambda one: one[0])[1]


def _keys(rule: Rule, lesser: Finding) -> set[str]:
    return {""} if rule.group_by is Facet.TENANT else {lesser.key, *_named(rule.group_by, lesser)}


def related(
    rules: Mapping[str, Rule], incident: Incident, unresolved: Iterable[Incident]
) -> tuple[Incident, ...]:
    """Return the unresolved incidents that either rule links to, oldest first."""
    name, own = incident.finding.rule_id, rules.get(incident.finding.rule_id)
    linked = {rule.id for rule in rules.values() if name in (*rule.links, *rule.inhibits)}
    linked |= set(own.links) if own else set()
    found = [
        other
        for other in unresolved
        if other.number != incident.number
        and other.finding.rule_id in linked
        and _shares(incident.finding, other.finding)
    ]
    return tuple(sorted(found, key=lambda other: other.number))


def _shares(one: Finding, other: Finding) -> bool:
    senders = {name.lower() for name in one.senders} & {name.lower() for name in other.senders}
    return bool(senders) or "tenant" in (one.key, other.key)


def _named(facet: Facet, finding: Finding) -> set[str]:
    match facet:
        case Facet.SENDER:
            return {sender.lower() for sender in finding.senders}
        case Facet.SENDER_DOMAIN:
            return {domain for domain in map(domain_of, finding.senders) if domain}
        case Facet.PROVEN:
            return _named(Facet.SENDER_DOMAIN, finding) | _named(Facet.RECIPIENT_DOMAIN, finding)
        case Facet.RECIPIENT_DOMAIN:
            return {domain.lower() for domain in finding.recipient_domains}
        case _:
            return set()
