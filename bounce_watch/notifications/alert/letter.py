"""Alerts to the admins: an incident opened, grew, is unacknowledged, or is resolved."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from bounce_watch.classify import Catalogue
from bounce_watch.model import Finding, Letter, LetterKind, Owner, Severity
from bounce_watch.notifications.alert.code_advice import code_advice
from bounce_watch.notifications.alert.dns import changes_of, findings_of
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.alert.steps import connections, fill_steps, needs_windows
from bounce_watch.notifications.alert.wording import acknowledgement, footer, lead, subject, title_of
from bounce_watch.notifications.facts import AlertFacts, AlertKind, OrganisationProfile
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.labels import OWNERS, SEVERITIES
from bounce_watch.notifications.rendering.refusal_details import common_evidence
from bounce_watch.notifications.rendering.safe_text import defang, plain
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter
from bounce_watch.notifications.rendering.translator import Translator
from bounce_watch.notifications.translatable import N_

MAX_NAMES = 10
MAX_WHO_MAY_RESEND = 100
MAX_OTHERS = 100
_NO_STEPS = N_("There are no steps for this kind of incident yet.")
TONES: dict[Severity, str] = {Severity.CRITICAL: "critical", Severity.HIGH: "high"}


def alert(
    templates: Templates,
    organisation: OrganisationProfile,
    playbooks: Mapping[str, Playbook],
    facts: AlertFacts,
    catalogue: Catalogue | None = None,
) -> Letter:
    """Compose the alert about one incident for one admin. Raises TemplateFault."""

    def write(translator: Translator) -> Letter:
        values = _values(translator, organisation, playbooks.get(facts.incident.finding.playbook), facts)
        is_over = facts.kind is AlertKind.ALL_CLEAR
        values["advice"] = [] if is_over else code_advice(catalogue, facts.examples.entries, translator)
        letter = write_letter(
            templates, "alerts/alert", values, LetterKind.ALERT, event_key=facts.event_key, to=facts.to
        )
        return replace(letter, is_urgent=facts.incident.finding.severity.is_urgent and not is_over)

    return templates.in_best_language((organisation.language,), write)


def _values(
    translator: Translator, organisation: OrganisationProfile, playbook: Playbook | None, facts: AlertFacts
) -> dict[str, Value]:
    incident, over = facts.incident, facts.kind is AlertKind.ALL_CLEAR
    finding, zone = incident.finding, organisation.time_zone
    most = MAX_WHO_MAY_RESEND if over else MAX_NAMES
    steps = fill_steps(playbook, finding, facts.examples) if playbook and not over else ()
    meaning = translator.if_known(playbook.meaning) if playbook else translator.gettext(_NO_STEPS)
    severity = N_("Resolved") if over else SEVERITIES[finding.severity]
    return {
        "language": translator.language,
        "colon": translator.colon,
        "organisation": plain(organisation.name, 80),
        "subject": plain(subject(translator, incident, facts.kind, more=len(facts.others)), 200),
        "tone": "good" if over else TONES.get(finding.severity, ""),
        "footer": footer(translator, facts.kind),
        "lead": lead(translator, facts, organisation),
        "acknowledge": acknowledgement(translator, facts, is_read=organisation.reads_replies),
        "others": [plain(subject(translator, *other), 200) for other in facts.others[:MAX_OTHERS]],
        "more_others": max(len(facts.others) - MAX_OTHERS, 0),
        "waiting": ", ".join(facts.waiting),
        "related": ", ".join(facts.related),
        "explains": ", ".join(facts.explains),
        "name": incident.name,
        "title": title_of(finding, translator),
        "severity": "good" if over else str(finding.severity),
        "severity_label": translator.gettext(severity),
        "owner_label": translator.gettext(OWNERS[finding.owner]),
        "zone": zone,
        "since": translator.moment(local_time.local(finding.first_at, zone)),
        "last": translator.moment(local_time.local(finding.last_at, zone)),
        "messages": finding.messages,
        "codes": _named(finding.statuses, 20),
        "senders": _named(finding.senders, 80, most),
        "more_senders": max(len(finding.senders) - most, 0),
        "domains": list(_domains(finding)),
        "more_domains": max(len(finding.recipient_domains) - MAX_NAMES, 0),
        "evidence": list(common_evidence(facts.examples.details)),
        "dns": findings_of(translator, zone, facts.dns),
        "changes": changes_of(translator, zone, facts.records),
        "meaning": "" if over else meaning,
        "steps": [{**asdict(step), "text": translator.if_known(step.text)} for step in steps],
        "connections": list(connections(steps)),
        "windows": needs_windows(steps),
    }


def _domains(finding: Finding) -> list[str]:
    """Return where the mail went. An intruder chooses these domains: they must not become links."""
    names = _named(finding.recipient_domains, 80)
    return list(map(defang, names)) if finding.owner is Owner.SECURITY else names


def _named(names: tuple[str, ...], limit: int, most: int = MAX_NAMES) -> list[str]:
    return [plain(name, limit) for name in names[:most]]
