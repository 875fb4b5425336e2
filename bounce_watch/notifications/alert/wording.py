"""What an alert says of an incident in one language: its subject, what happened to it, and why we write."""

from bounce_watch.model import Finding, Incident, Owner
from bounce_watch.notifications.facts import AlertFacts, AlertKind, OrganisationProfile
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.labels import SEVERITIES
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.translator import Translator
from bounce_watch.notifications.translatable import N_

NOT_CONFIRMED = N_("reported by the person concerned, not confirmed")
COMMANDS = "ack, silence 8h, resolve"
"""What the first line of a reply can say; not translated."""
_SUBJECTS: dict[AlertKind, str] = {
    AlertKind.OPENED: N_("[%(severity)s] %(name)s: %(title)s"),
    AlertKind.REOPENED: N_("[%(severity)s] %(name)s reopened: %(title)s"),
    AlertKind.GREW: N_("[%(severity)s] %(name)s is growing (%(messages)s messages): %(title)s"),
    AlertKind.QUIET: N_("[%(severity)s] %(name)s is quiet, not confirmed as fixed: %(title)s"),
    AlertKind.REMINDER: N_("[%(severity)s] %(name)s is unacknowledged: %(title)s"),
    AlertKind.ALL_CLEAR: N_("[Resolved] %(name)s: %(title)s"),
}
_LEADS: dict[AlertKind, str] = {
    AlertKind.REOPENED: N_("It was quiet or closed, and the same bounces come again."),
    AlertKind.GREW: N_("It is %(growth)s times as large as in the first alert."),
    AlertKind.REMINDER: N_("Not acknowledged yet."),
}
_FOOTERS: dict[AlertKind, str] = {
    AlertKind.OPENED: N_("Written by bounce_watch when the incident opened."),
    AlertKind.REOPENED: N_("Written by bounce_watch when the incident reopened."),
    AlertKind.GREW: N_("Written by bounce_watch because the incident grew."),
    AlertKind.QUIET: N_("Written by bounce_watch because no new bounces came."),
    AlertKind.REMINDER: N_("Written by bounce_watch because the incident is unacknowledged; once a day."),
    AlertKind.ALL_CLEAR: N_("Written by bounce_watch when the incident was resolved."),
}


def subject(translator: Translator, incident: Incident, kind: AlertKind, more: int = 0) -> str:
    """Return the subject of an alert; `more` counts the other incidents that it is about."""
    finding, name = incident.finding, incident.name
    if more:
        rest = translator.ngettext("and one more", "and %(more)s more", more, more=more)
        name = f"{name} {rest}"
    return translator.gettext(
        _SUBJECTS[kind],
        severity=translator.gettext(SEVERITIES[finding.severity]),
        name=name,
        messages=finding.messages,
        title=title_of(finding, translator),
    )


def title_of(finding: Finding, translator: Translator | None = None) -> str:
    """Return the rule's title with its key if that is an address or a domain."""
    title = plain(translator.if_known(finding.title) if translator else finding.title, 160)
    key = plain(finding.key, 80)
    named = f"{title}: {key}" if ("@" in key or "." in key) and key not in title else title
    if finding.confirmed:
        return named
    doubt = translator.gettext(NOT_CONFIRMED) if translator else NOT_CONFIRMED
    return f"{named} ({doubt})"


def footer(translator: Translator, kind: AlertKind) -> str:
    """Return why this alert was sent, and where there is more."""
    more = translator.gettext("More: %(commands)s", commands="bounce-watch incidents")
    return f"{translator.gettext(_FOOTERS[kind])} {more}"


def acknowledgement(translator: Translator, facts: AlertFacts, *, is_read: bool) -> str:
    """Return how to acknowledge the incident, and what a reply can do if replies are read; "" for neither."""
    if facts.kind is AlertKind.ALL_CLEAR:
        return ""
    lines = []
    if facts.kind is not AlertKind.QUIET and facts.incident.acknowledged_at is None:
        command = f"bounce-watch incidents ack {facts.incident.number}"
        lines.append(
            translator.gettext("To acknowledge it, which ends the reminders: %(command)s", command=command)
        )
    if is_read:
        lines.append(
            translator.gettext("You can also reply. First line: %(commands)s, or a note.", commands=COMMANDS)
        )
    return " ".join(lines)


def lead(translator: Translator, facts: AlertFacts, organisation: OrganisationProfile) -> str:
    """Return what happened to the incident; "" if it just opened."""
    match facts.kind:
        case AlertKind.OPENED:
            return ""
        case AlertKind.ALL_CLEAR:
            return _all_clear(translator, facts)
        case AlertKind.QUIET:
            return _quiet(translator, facts.incident, organisation)
        case kind:
            return translator.gettext(_LEADS[kind], growth=facts.growth)


def _quiet(translator: Translator, incident: Incident, organisation: OrganisationProfile) -> str:
    last = translator.moment(local_time.local(incident.finding.last_at, organisation.time_zone))
    command = f"bounce-watch incidents resolve {incident.number}"
    asks = translator.gettext(
        "No new bounces since %(last)s. Is it fixed? Silence doesn't prove it. "
        "If it is fixed, close it: %(command)s",
        last=last,
        command=command,
    )
    stays, archived = (
        N_("It stays open until an admin closes it."),
        N_("If it stays quiet, it is archived as not confirmed."),
    )
    becomes = translator.gettext(stays if incident.finding.severity.is_urgent else archived)
    return f"{asks} {becomes}"


def _all_clear(translator: Translator, facts: AlertFacts) -> str:
    finding, closed = facts.incident.finding, plain(facts.closed, 200).removesuffix(".")
    over = translator.gettext("Resolved by %(person)s.", person=closed) if closed else ""
    over = over or translator.gettext("Resolved.")
    if finding.owner is Owner.SECURITY:
        secured = translator.gettext("Make sure that the account is secured before it sends again.")
        return f"{over} {secured}"
    if not finding.senders:
        return over
    command = f"bounce-watch incidents allclear {facts.incident.number} --tell"
    tell = translator.gettext(
        "The senders listed here can resend. To notify each of them: %(command)s", command=command
    )
    return f"{over} {tell}"
