"""What DNS said about an incident, from the store: for its alert and for `incidents show`."""

from datetime import timedelta

from bounce_watch.detect import Rule
from bounce_watch.dns.questions import QUESTIONS
from bounce_watch.model import Incident
from bounce_watch.model.dns import DnsFinding, RecordChange
from bounce_watch.store import StoreQueries

BEFORE = timedelta(hours=1)
"""What was asked so long before an incident opened may have opened it."""

CHANGED_BEFORE = timedelta(days=7)


def dns_facts_of(
    store: StoreQueries, rule: Rule | None, incident: Incident
) -> tuple[tuple[DnsFinding, ...], tuple[RecordChange, ...]]:
    """Return the answers to what can prove the causes of a rule, and the changes that may be the reason."""
    causes = {cause for condition in rule.where for cause in condition.causes} if rule else set()
    asked = {question for cause in causes for question in QUESTIONS.get(cause, ())}
    if not asked:
        return (), ()
    key = incident.finding.key
    since = incident.opened_at - BEFORE
    newest = (one for one in store.dns.newest([key]) if one.question in asked and one.asked_at >= since)
    changed = store.dns.changes(incident.opened_at - CHANGED_BEFORE, incident.updated_at, [key])
    return tuple(newest), tuple(one for one in changed if one.question in asked)
