"""The incidents of a digest, under their headings, and those that are named in one line."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from bounce_watch.model import Digest, Incident, IncidentState, Severity
from bounce_watch.notifications.alert.letter import title_of
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.alert.steps import fill_steps
from bounce_watch.notifications.facts import OrganisationProfile
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.labels import OWNERS, SEVERITIES
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.templates import Value

MAX_INCIDENTS = 10
MAX_STEPS = 3


def groups(
    organisation: OrganisationProfile, playbooks: Mapping[str, Playbook], digest: Digest
) -> list[dict[str, Value]]:
    """Return the incidents under their three headings, without empty groups."""
    groups = (
        ("New problems", digest.opened, True),
        ("Still open", digest.still_open, False),
        ("Resolved", digest.resolved, False),
    )
    return [
        {
            "title": title,
            "incidents": [
                _incident(organisation, playbooks, incident, with_steps)
                for incident in by_severity(incidents)[:MAX_INCIDENTS]
            ],
            "more": max(len(incidents) - MAX_INCIDENTS, 0),
        }
        for title, incidents, with_steps in groups
        if incidents
    ]


def _incident(
    organisation: OrganisationProfile, playbooks: Mapping[str, Playbook], incident: Incident, with_steps: bool
) -> dict[str, Value]:
    finding = incident.finding
    owner = OWNERS[finding.owner]
    playbook = playbooks.get(finding.playbook)
    critical = with_steps or finding.severity is Severity.CRITICAL
    resolved = incident.resolved_at
    steps = fill_steps(playbook, finding) if playbook and critical and resolved is None else ()
    again, mails = "reopened; " if incident.reopened else "", counted(finding.messages, "message")
    line = f"{again}since {local_time.short(finding.first_at, organisation.time_zone)}; {mails}; "
    line += f"owner: {owner[0].lower()}{owner[1:]}"
    if incident.state is IncidentState.QUIET:
        last = local_time.short(finding.last_at, organisation.time_zone)
        line += f"; no new bounces since {last}. Is it fixed? Close it with: "
        line += f"bounce-watch incidents resolve {incident.number}"
    if resolved is not None:
        line = f"resolved {local_time.short(resolved, organisation.time_zone)}; {mails}"
    return {
        "name": incident.name,
        "title": title_of(finding),
        "severity": "good" if resolved else str(finding.severity),
        "severity_label": "Resolved" if resolved else SEVERITIES[finding.severity],
        "line": line,
        "codes": [plain(status, 20) for status in finding.statuses[:5]],
        "steps": [asdict(step) for step in steps[:MAX_STEPS]],
        "more_steps": max(len(steps) - MAX_STEPS, 0),
    }


def asides(digest: Digest) -> tuple[str, str]:
    """Return a line about archived incidents and one about those of old messages, each "" for none."""
    return (
        _names("Archived after no new bounces, not confirmed as fixed", digest.archived),
        _names("Found in old messages, without an alert", digest.historical),
    )


def _names(title: str, incidents: Sequence[Incident]) -> str:
    names = [one.name for one in by_severity(incidents)]
    more = f" and {len(names) - MAX_INCIDENTS} more" if len(names) > MAX_INCIDENTS else ""
    return f"{title}: {', '.join(names[:MAX_INCIDENTS])}{more}" if names else ""


def by_severity(incidents: Sequence[Incident]) -> list[Incident]:
    return sorted(incidents, key=lambda one: (one.finding.severity.rank, one.number))


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
