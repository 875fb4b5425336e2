"""The alert: one mail to the admins when an incident opens, with the steps ready to paste."""

from collections.abc import Mapping

from bounce_watch.model import Finding, Letter, LetterKind, Severity
from bounce_watch.reply import moments
from bounce_watch.reply.facts import AlertFacts, Organisation
from bounce_watch.reply.inline import inline
from bounce_watch.reply.playbooks import FilledStep, Playbook, fill_steps
from bounce_watch.reply.safe_text import plain
from bounce_watch.reply.templates import Templates, Value
from bounce_watch.reply.words import OWNERS, SEVERITIES

MOST_NAMES = 10
TONES: dict[Severity, str] = {Severity.CRITICAL: "critical", Severity.HIGH: "high"}
_FOOTER = "Written by bounce_watch when the incident opened. More: bounce-watch incidents"


def alert(
    templates: Templates, organisation: Organisation, playbooks: Mapping[str, Playbook], facts: AlertFacts
) -> Letter:
    """Compose the alert about one incident for one admin. Raises TemplateFault."""
    finding, name = facts.incident.finding, facts.incident.name
    title = title_of(finding)
    playbook = playbooks.get(finding.playbook)
    subject = plain(f"[{SEVERITIES[finding.severity]}] {name}: {title}", 200)
    values: dict[str, Value] = {
        "language": "en",
        "organisation": plain(organisation.name, 80),
        "subject": subject,
        "tone": TONES.get(finding.severity, ""),
        "footer": _FOOTER,
        "name": name,
        "title": title,
        "severity": str(finding.severity),
        "severity_label": SEVERITIES[finding.severity],
        "owner_label": OWNERS[finding.owner],
        "since": moments.short(finding.first_at, organisation.time_zone),
        "last": moments.short(finding.last_at, organisation.time_zone),
        "messages": finding.messages,
        "codes": _named(finding.statuses, 20),
        "senders": _named(finding.senders, 80),
        "more_senders": max(len(finding.senders) - MOST_NAMES, 0),
        "domains": _named(finding.recipient_domains, 80),
        "more_domains": max(len(finding.recipient_domains) - MOST_NAMES, 0),
        "meaning": playbook.meaning if playbook else "There are no steps for this kind of incident yet.",
        "steps": [shown_step(step) for step in fill_steps(playbook, finding)] if playbook else [],
    }
    return Letter(
        kind=LetterKind.ALERT,
        event_key=facts.event_key,
        to=facts.to,
        subject=subject,
        text=templates.render("alerts/alert.txt.j2", values),
        html=inline(templates.render("alerts/alert.html.j2", values)),
    )


def title_of(finding: Finding) -> str:
    """Return the rule's title with what it was found for: an address or a domain."""
    title, key = plain(finding.title, 160), plain(finding.key, 80)
    named = ("@" in key or "." in key) and key not in title
    return f"{title}: {key}" if named else title


def shown_step(step: FilledStep) -> dict[str, Value]:
    """Return a filled step as plain template values."""
    return {
        "text": step.text,
        "where": step.where,
        "commands": list(step.commands),
        "more": step.more,
        "source": step.source,
    }


def _named(names: tuple[str, ...], limit: int) -> list[str]:
    return [plain(name, limit) for name in names[:MOST_NAMES]]
