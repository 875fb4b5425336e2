"""Alerts to the admins: an incident opened, grew, is unacknowledged, or is resolved."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from bounce_watch.classify import Catalogue
from bounce_watch.model import Finding, Incident, Letter, LetterKind, Owner, Severity
from bounce_watch.notifications.alert.code_advice import code_advice
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.alert.steps import connections, fill_steps, needs_windows
from bounce_watch.notifications.facts import AlertFacts, AlertKind, OrganisationProfile
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.labels import OWNERS, SEVERITIES
from bounce_watch.notifications.rendering.refusal_details import common_evidence
from bounce_watch.notifications.rendering.safe_text import defang, plain
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter

MAX_NAMES = 10
MAX_WHO_MAY_RESEND = 100
MAX_OTHERS = 100
NOT_CONFIRMED = "reported by the person concerned, not confirmed"
_NO_STEPS = "There are no steps for this kind of incident yet."
TONES: dict[Severity, str] = {Severity.CRITICAL: "critical", Severity.HIGH: "high"}
_SUBJECTS: dict[AlertKind, str] = {
    AlertKind.OPENED: "[{severity}] {name}: {title}",
    AlertKind.REOPENED: "[{severity}] {name} reopened: {title}",
    AlertKind.GREW: "[{severity}] {name} is growing ({messages} messages): {title}",
    AlertKind.QUIET: "[{severity}] {name} is quiet, not confirmed as fixed: {title}",
    AlertKind.REMINDER: "[{severity}] {name} is unacknowledged: {title}",
    AlertKind.ALL_CLEAR: "[Resolved] {name}: {title}",
}
_LEADS: dict[AlertKind, str] = {
    AlertKind.OPENED: "",
    AlertKind.REOPENED: "It was quiet or closed, and the same bounces come again.",
    AlertKind.GREW: "It is {growth} times as large as in the first alert.",
    AlertKind.REMINDER: "Not acknowledged yet.",
}
_ACKNOWLEDGE = "To acknowledge it, which ends the reminders: bounce-watch incidents ack {number}"
_QUIET = "No new bounces since {last}. Is it fixed? Silence doesn't prove it. If it is fixed, close it: "
_QUIET += "bounce-watch incidents resolve {number}"
_STAYS = " It stays open until an admin closes it."
_ARCHIVED_SOON = " If it stays quiet, it is archived as not confirmed."
_FOOTER = "Written by bounce_watch {when}. More: bounce-watch incidents"
_WHEN: dict[AlertKind, str] = {
    AlertKind.OPENED: "when the incident opened",
    AlertKind.REOPENED: "when the incident reopened",
    AlertKind.GREW: "because the incident grew",
    AlertKind.QUIET: "because no new bounces came",
    AlertKind.REMINDER: "because the incident is unacknowledged; once a day",
    AlertKind.ALL_CLEAR: "when the incident was resolved",
}


def alert(
    templates: Templates,
    organisation: OrganisationProfile,
    playbooks: Mapping[str, Playbook],
    facts: AlertFacts,
    catalogue: Catalogue | None = None,
) -> Letter:
    """Compose the alert about one incident for one admin. Raises TemplateFault."""
    finding, name = facts.incident.finding, facts.incident.name
    title, over = title_of(finding), facts.kind is AlertKind.ALL_CLEAR
    playbook = playbooks.get(finding.playbook)
    most = MAX_WHO_MAY_RESEND if over else MAX_NAMES
    steps = fill_steps(playbook, finding, facts.examples) if playbook and not over else ()
    number = facts.incident.number
    is_security = finding.owner is Owner.SECURITY
    is_known = over or facts.kind is AlertKind.QUIET or facts.incident.acknowledged_at is not None
    values: dict[str, Value] = {
        "language": "en",
        "organisation": plain(organisation.name, 80),
        "subject": plain(_subject(facts.incident, facts.kind, more=len(facts.others)), 200),
        "tone": "good" if over else TONES.get(finding.severity, ""),
        "footer": _FOOTER.format(when=_WHEN[facts.kind]),
        "lead": _lead(facts, organisation),
        "acknowledge": "" if is_known else _ACKNOWLEDGE.format(number=number),
        "others": [plain(_subject(*other), 200) for other in facts.others[:MAX_OTHERS]],
        "more_others": max(len(facts.others) - MAX_OTHERS, 0),
        "waiting": ", ".join(facts.waiting),
        "related": ", ".join(facts.related),
        "explains": ", ".join(facts.explains),
        "name": name,
        "title": title,
        "severity": "good" if over else str(finding.severity),
        "severity_label": "Resolved" if over else SEVERITIES[finding.severity],
        "owner_label": OWNERS[finding.owner],
        "since": local_time.short(finding.first_at, organisation.time_zone),
        "last": local_time.short(finding.last_at, organisation.time_zone),
        "messages": finding.messages,
        "codes": _named(finding.statuses, 20),
        "senders": _named(finding.senders, 80, most),
        "more_senders": max(len(finding.senders) - most, 0),
        # An intruder chooses these domains: they must not become links.
        "domains": [defang(name) if is_security else name for name in _named(finding.recipient_domains, 80)],
        "more_domains": max(len(finding.recipient_domains) - MAX_NAMES, 0),
        "evidence": list(common_evidence(facts.examples.details)),
        "meaning": "" if over else playbook.meaning if playbook else _NO_STEPS,
        "steps": [asdict(step) for step in steps],
        "connections": list(connections(steps)),
        "windows": needs_windows(steps),
        "advice": [] if over else code_advice(catalogue, facts.examples.entries),
    }
    letter = write_letter(
        templates, "alerts/alert", values, LetterKind.ALERT, event_key=facts.event_key, to=facts.to
    )
    return replace(letter, is_urgent=finding.severity.is_urgent and not over)


def _subject(incident: Incident, kind: AlertKind, more: int = 0) -> str:
    finding = incident.finding
    return _SUBJECTS[kind].format(
        severity=SEVERITIES[finding.severity],
        name=f"{incident.name} and {more} more" if more else incident.name,
        messages=finding.messages,
        title=title_of(finding),
    )


def title_of(finding: Finding) -> str:
    """Return the rule's title with its key if that is an address or a domain."""
    title, key = plain(finding.title, 160), plain(finding.key, 80)
    named = ("@" in key or "." in key) and key not in title
    doubt = "" if finding.confirmed else f" ({NOT_CONFIRMED})"
    return f"{title}: {key}{doubt}" if named else f"{title}{doubt}"


def _lead(facts: AlertFacts, organisation: OrganisationProfile) -> str:
    """Return what happened to the incident; "" if it just opened."""
    incident = facts.incident
    match facts.kind:
        case AlertKind.ALL_CLEAR:
            return _all_clear(facts)
        case AlertKind.QUIET:
            last = local_time.short(incident.finding.last_at, organisation.time_zone)
            next_state = _STAYS if incident.finding.severity.is_urgent else _ARCHIVED_SOON
            return _QUIET.format(last=last, number=incident.number) + next_state
        case kind:
            return _LEADS[kind].format(growth=facts.growth)


def _all_clear(facts: AlertFacts) -> str:
    finding = facts.incident.finding
    closed = plain(facts.closed, 200)
    over = f"Resolved by {closed.removesuffix('.')}." if closed else "Resolved."
    if finding.owner is Owner.SECURITY:
        return f"{over} Make sure that the account is secured before it sends again."
    if not finding.senders:
        return over
    tell = f"bounce-watch incidents allclear {facts.incident.number} --tell"
    return f"{over} The senders listed here can resend. To notify each of them: {tell}"


def _named(names: tuple[str, ...], limit: int, most: int = MAX_NAMES) -> list[str]:
    return [plain(name, limit) for name in names[:most]]
