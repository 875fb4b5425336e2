"""Alerts to the admins: an incident opened, grew, is unacknowledged, or is resolved."""

from collections.abc import Mapping
from dataclasses import asdict

from bounce_watch.model import Finding, Letter, LetterKind, Owner, Severity
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.alert.steps import connections, fill_steps, needs_windows
from bounce_watch.notifications.facts import AlertFacts, AlertKind, CodeAdvice, OrganisationProfile
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.labels import OWNERS, SEVERITIES
from bounce_watch.notifications.rendering.refusal_details import common_evidence
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter

MAX_NAMES = 10
MAX_WHO_MAY_RESEND = 100
_NO_STEPS = "There are no steps for this kind of incident yet."
TONES: dict[Severity, str] = {Severity.CRITICAL: "critical", Severity.HIGH: "high"}
_SUBJECTS: dict[AlertKind, str] = {
    AlertKind.OPENED: "[{severity}] {name}: {title}",
    AlertKind.REOPENED: "[{severity}] {name} is back: {title}",
    AlertKind.GREW: "[{severity}] {name} is {growth} times as large: {title}",
    AlertKind.REMINDER: "[{severity}] {name} still waits: {title}",
    AlertKind.ALL_CLEAR: "[Over] {name}: {title}",
}
_LEADS: dict[AlertKind, str] = {
    AlertKind.OPENED: "",
    AlertKind.REOPENED: "It was over, and the same is happening again.",
    AlertKind.GREW: "It is {growth} times as large as when you first heard of it.",
    AlertKind.REMINDER: "Nobody has said yet that they are on it. "
    "If you are: bounce-watch incidents ack {number}",
}
_FOOTER = "Written by bounce_watch {when}. More: bounce-watch incidents"
_WHEN: dict[AlertKind, str] = {
    AlertKind.OPENED: "when the incident opened",
    AlertKind.REOPENED: "when the incident came back",
    AlertKind.GREW: "because the incident grew",
    AlertKind.REMINDER: "because nobody has acknowledged the incident; once a day",
    AlertKind.ALL_CLEAR: "when the incident was over",
}


def alert(
    templates: Templates,
    organisation: OrganisationProfile,
    playbooks: Mapping[str, Playbook],
    facts: AlertFacts,
) -> Letter:
    """Compose the alert about one incident for one admin. Raises TemplateFault."""
    finding, name = facts.incident.finding, facts.incident.name
    title, over = title_of(finding), facts.kind is AlertKind.ALL_CLEAR
    playbook = playbooks.get(finding.playbook)
    most = MAX_WHO_MAY_RESEND if over else MAX_NAMES
    steps = fill_steps(playbook, finding, facts.examples) if playbook and not over else ()
    severity, number = SEVERITIES[finding.severity], facts.incident.number
    lead = _all_clear(facts) if over else _LEADS[facts.kind].format(growth=facts.growth, number=number)
    subject = _SUBJECTS[facts.kind].format(severity=severity, name=name, growth=facts.growth, title=title)
    values: dict[str, Value] = {
        "language": "en",
        "organisation": plain(organisation.name, 80),
        "subject": plain(subject, 200),
        "tone": "good" if over else TONES.get(finding.severity, ""),
        "footer": _FOOTER.format(when=_WHEN[facts.kind]),
        "lead": lead,
        "related": ", ".join(facts.related),
        "explains": ", ".join(facts.explains),
        "name": name,
        "title": title,
        "severity": "good" if over else str(finding.severity),
        "severity_label": "Over" if over else severity,
        "owner_label": OWNERS[finding.owner],
        "since": local_time.short(finding.first_at, organisation.time_zone),
        "last": local_time.short(finding.last_at, organisation.time_zone),
        "messages": finding.messages,
        "codes": _named(finding.statuses, 20),
        "senders": _named(finding.senders, 80, most),
        "more_senders": max(len(finding.senders) - most, 0),
        "domains": _named(finding.recipient_domains, 80),
        "more_domains": max(len(finding.recipient_domains) - MAX_NAMES, 0),
        "evidence": list(common_evidence(facts.examples.details)),
        "meaning": "" if over else playbook.meaning if playbook else _NO_STEPS,
        "steps": [asdict(step) for step in steps],
        "connections": list(connections(steps)),
        "windows": needs_windows(steps),
        "advice": [] if over else [advice_values(advice) for advice in facts.advice],
    }
    return write_letter(
        templates, "alerts/alert", values, LetterKind.ALERT, event_key=facts.event_key, to=facts.to
    )


def advice_values(advice: CodeAdvice) -> dict[str, Value]:
    """Return what a template shows of the advice for one code."""
    return {**asdict(advice), "steps": list(advice.steps)}


def title_of(finding: Finding) -> str:
    """Return the rule's title with its key if that is an address or a domain."""
    title, key = plain(finding.title, 160), plain(finding.key, 80)
    named = ("@" in key or "." in key) and key not in title
    doubt = "" if finding.confirmed else " (reported by the person concerned, not confirmed)"
    return f"{title}: {key}{doubt}" if named else f"{title}{doubt}"


def _all_clear(facts: AlertFacts) -> str:
    finding = facts.incident.finding
    over = "Nothing more of it was seen, or somebody closed it."
    if finding.owner is Owner.SECURITY:
        return f"{over} Make sure that the account is secured before it sends again."
    if not finding.senders:
        return over
    tell = f"bounce-watch incidents allclear {facts.incident.number} --tell"
    return f"{over} The senders named here may send their mails again. To tell each of them: {tell}"


def _named(names: tuple[str, ...], limit: int, most: int = MAX_NAMES) -> list[str]:
    return [plain(name, limit) for name in names[:most]]
