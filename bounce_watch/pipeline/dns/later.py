"""Look again at what DNS proved, until it is repaired, and once a day at the records of our domains."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bounce_watch.detect import Facet
from bounce_watch.dns.questions import OF_OUR_DOMAINS, Ask
from bounce_watch.model import Incident
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.dns_proofs import Found
from bounce_watch.pipeline.elapsed import has_passed, is_ahead
from bounce_watch.pipeline.incidents.alerts import alert_resolved
from bounce_watch.store import StoreQueries, Transaction

AGAIN = timedelta(minutes=15)
DAILY = timedelta(days=1)
WATCHER = "bounce_watch"
UNKNOWN_TTL = 3600
"""Seconds that caches may remember that a name or record is missing, when the zone did not say."""


def look_again(context: Context) -> dict[int, Found]:
    """Ask again what proved open incidents; return the answers by their numbers. It uses the network."""
    dns, store, now = context.dns, context.store, context.clock()
    if dns is None:
        return {}
    looked = {}
    for incident in store.incidents.list_open():
        if _is_proven(context, incident):
            before = _proving(store, incident)
            if before and has_passed(AGAIN, max(one.asked_at for one in before), now):
                dns.forget(incident.finding.key)
                looked[incident.number] = dns.ask(store, _ask(store, incident, before), now)
    return looked


def look_daily(context: Context) -> list[Found]:
    """Ask for the records of our domains that were not asked for a day, as far as the limits allow."""
    dns, store, now = context.dns, context.store, context.clock()
    if dns is None or dns.settings.use != "daily":
        return []
    due = [domain for domain in sorted(dns.accepted) if _is_due(store.dns.newest([domain]), now)]
    return [dns.ask(store, Ask(questions=OF_OUR_DOMAINS, subject=domain), now) for domain in due[:1]]


def _is_due(found: Found, now: datetime) -> bool:
    return all(has_passed(DAILY, one.asked_at, now) for one in found if one.question is Question.MTA_STS)


def _is_proven(context: Context, incident: Incident) -> bool:
    rules = {rule.id for rule in context.rules if rule.group_by is Facet.PROVEN}
    return incident.finding.rule_id in rules and not incident.historical


def _proving(store: StoreQueries, incident: Incident) -> Found:
    """Return the newest answers to the questions that proved an incident."""
    rows = store.dns.history([incident.finding.key])
    since = incident.opened_at - AGAIN
    proved = {(one.question, one.name) for one in rows if one.proves and one.asked_at >= since}
    newest = {(one.question, one.name): one for one in rows}
    return tuple(newest[each] for each in proved)


def _ask(store: StoreQueries, incident: Incident, before: Found) -> Ask:
    subject = incident.finding.key
    seen = store.dns.addresses_of(subject, incident.finding.first_at)
    key = next((one.name for one in before if one.question is Question.DKIM), None)
    return Ask(
        questions=tuple(question for question in Question if question in {one.question for one in before}),
        subject=subject,
        address=seen[0] if seen else None,
        selector=key.partition("._domainkey.")[0] if key else None,
    )


def note_looks(
    context: Context, tx: Transaction, looked: Mapping[int, Found], daily: Iterable[Found]
) -> list[int]:
    """Record the answers. Resolve the incidents that DNS proves to be repaired; return their numbers.

    While caches may hold the old answer, the history of the incident says so, and it stays open.
    """
    resolved = []
    for number, found in looked.items():
        incident = tx.incidents.alert_state(number).incident
        before = _proving(tx, incident)
        tx.dns.record(found)
        now = context.clock()
        if incident.state.is_closed or not found or any(_is_wrong(one) for one in found):
            continue
        held = _held_until(tx, incident, before, now)
        why = f"DNS: {'; '.join(one.why for one in found)}"
        if held <= now:
            tx.incidents.resolve(number, now, why=why)
            alert_resolved(context, tx, number, why=why)
            resolved.append(number)
        elif any(_is_wrong(one) for one in before):
            minutes = int((held - now).total_seconds() / 60) + 1
            tx.incidents.note(
                number, f"{why}; caches may hold the old record for {minutes} minutes", now, by=WATCHER
            )
    for found in daily:
        tx.dns.record(found)
    return resolved


def _is_wrong(finding: DnsFinding) -> bool:
    return finding.proves or finding.verdict in (DnsVerdict.ABSENT, DnsVerdict.UNASKED)


def _held_until(
    store: StoreQueries, incident: Incident, before: Iterable[DnsFinding], now: datetime
) -> datetime:
    """Return until when caches may hold an answer that proved the incident."""
    names = {(one.question, one.name) for one in before}
    rows = [one for one in store.dns.history([incident.finding.key]) if (one.question, one.name) in names]
    ends = [
        one.asked_at + timedelta(seconds=UNKNOWN_TTL if one.ttl is None else one.ttl)
        for one in rows
        if one.proves and not is_ahead(one.asked_at, now)
    ]
    return max(ends, default=now)
