"""The incidents of a digest, under their headings, and those that are named in one line."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from bounce_watch.model import Digest, Incident, IncidentState, Severity
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.alert.steps import fill_steps
from bounce_watch.notifications.alert.wording import title_of
from bounce_watch.notifications.facts import OrganisationProfile
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.labels import OWNERS, SEVERITIES
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.templates import Value
from bounce_watch.notifications.rendering.translator import Translator
from bounce_watch.notifications.translatable import N_

MAX_INCIDENTS = 10
MAX_STEPS = 3


def groups(
    translator: Translator,
    organisation: OrganisationProfile,
    playbooks: Mapping[str, Playbook],
    digest: Digest,
) -> list[dict[str, Value]]:
    """Return the incidents under their three headings, without empty groups."""
    groups = (
        (translator.gettext("New incidents"), digest.opened, True),
        (translator.gettext("Still open"), digest.still_open, False),
        (translator.gettext("Resolved"), digest.resolved, False),
    )
    return [
        {
            "title": title,
            "incidents": [
                _incident(translator, organisation, playbooks, incident, with_steps)
                for incident in by_severity(incidents)[:MAX_INCIDENTS]
            ],
            "more": max(len(incidents) - MAX_INCIDENTS, 0),
        }
        for title, incidents, with_steps in groups
        if incidents
    ]


def _incident(
    translator: Translator,
    organisation: OrganisationProfile,
    playbooks: Mapping[str, Playbook],
    incident: Incident,
    with_steps: bool,
) -> dict[str, Value]:
    finding, resolved = incident.finding, incident.resolved_at
    playbook = playbooks.get(finding.playbook)
    wanted = (with_steps or finding.severity is Severity.CRITICAL) and incident.suppressed_by is None
    steps = fill_steps(playbook, finding) if playbook and wanted and resolved is None else ()
    line = _resolved_line if resolved is not None else _open_line
    return {
        "name": incident.name,
        "title": title_of(finding, translator),
        "severity": "good" if resolved else str(finding.severity),
        "severity_label": translator.gettext("Resolved" if resolved else SEVERITIES[finding.severity]),
        "line": line(translator, organisation, incident),
        "codes": [plain(status, 20) for status in finding.statuses[:5]],
        "steps": [{**asdict(step), "text": translator.if_known(step.text)} for step in steps[:MAX_STEPS]],
        "more_steps": max(len(steps) - MAX_STEPS, 0),
    }


def _open_line(translator: Translator, organisation: OrganisationProfile, incident: Incident) -> str:
    """Return since when it is open, how large it is, who acts, and how to close it if it is quiet."""
    finding, zone, say = incident.finding, organisation.time_zone, translator.gettext
    pattern = N_("Since %(since)s; %(messages)s; owner: %(owner)s")
    line = say(
        N_("Reopened; since %(since)s; %(messages)s; owner: %(owner)s") if incident.reopened else pattern,
        since=translator.moment(local_time.local(finding.first_at, zone)),
        messages=counted(translator, finding.messages),
        owner=say(OWNERS[finding.owner]),
    )
    if incident.suppressed_by is not None:
        explained = say("Explained by INC-%(number)s.", number=incident.suppressed_by)
        return f"{line}. {explained}"
    if incident.state is not IncidentState.QUIET:
        return line
    command = f"bounce-watch incidents resolve {incident.number}"
    asks = say(
        "No new bounces since %(last)s. Is it fixed? Close it with: %(command)s",
        last=translator.moment(local_time.local(finding.last_at, zone)),
        command=command,
    )
    return f"{line}. {asks}"


def _resolved_line(translator: Translator, organisation: OrganisationProfile, incident: Incident) -> str:
    resolved = incident.resolved_at or incident.updated_at
    return translator.gettext(
        "Resolved %(when)s; %(messages)s",
        when=translator.moment(local_time.local(resolved, organisation.time_zone)),
        messages=counted(translator, incident.finding.messages),
    )


def asides(translator: Translator, digest: Digest) -> tuple[str, ...]:
    """Return a line about archived incidents, old messages and senders without a reader, each "" for none."""
    archived, historical = _names(translator, digest.archived), _names(translator, digest.historical)
    unowned = ", ".join(f"{plain(count.label, 80)} ({count.now})" for count in digest.unowned)
    return (
        archived
        and translator.gettext(
            "Archived after no new bounces, not confirmed as fixed: %(names)s", names=archived
        ),
        historical
        and translator.gettext("Found in old messages, without an alert: %(names)s", names=historical),
        unowned
        and translator.gettext(
            "Bounces without a reader, by sender: %(senders)s. To name owners: %(command)s",
            senders=unowned,
            command="bounce-watch owners missing",
        ),
    )


def _names(translator: Translator, incidents: Sequence[Incident]) -> str:
    names, more = [one.name for one in by_severity(incidents)], len(incidents) - MAX_INCIDENTS
    listed = ", ".join(names[:MAX_INCIDENTS])
    if more <= 0:
        return listed
    rest = translator.ngettext("and one more", "and %(more)s more", more, more=more)
    return f"{listed} {rest}"


def by_severity(incidents: Sequence[Incident]) -> list[Incident]:
    return sorted(incidents, key=lambda one: (one.finding.severity.rank, one.number))


def counted(translator: Translator, messages: int) -> str:
    return translator.ngettext("%(count)s message", "%(count)s messages", messages)
