"""The email to an admin about a mailbox that cannot be read or filed, or works again."""

from bounce_watch.model import Letter, LetterKind
from bounce_watch.notifications.facts import OrganisationProfile, OutageFacts
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter
from bounce_watch.notifications.rendering.translator import Translator
from bounce_watch.notifications.translatable import N_

MAX_COMMANDS = 10
_HEADLINES = {
    (False, False): N_("The bounce mailbox %(mailbox)s cannot be read"),
    (False, True): N_("The bounce mailbox %(mailbox)s is read again"),
    (True, False): N_("The bounce mailbox %(mailbox)s cannot be filed"),
    (True, True): N_("The bounce mailbox %(mailbox)s is filed again"),
}
"""By whether it is about filing, and whether it is over."""


def outage(templates: Templates, organisation: OrganisationProfile, facts: OutageFacts) -> Letter:
    """Compose the email about a mailbox for one admin. Raises TemplateFault."""

    def write(translator: Translator) -> Letter:
        values = _values(translator, organisation, facts)
        return write_letter(
            templates, "alerts/outage", values, LetterKind.ALERT, event_key=facts.event_key, to=facts.to
        )

    return templates.in_best_language((organisation.language,), write)


def _values(
    translator: Translator, organisation: OrganisationProfile, facts: OutageFacts
) -> dict[str, Value]:
    mailbox, zone = plain(facts.mailbox, 120), organisation.time_zone
    headline = translator.gettext(_HEADLINES[facts.is_about_filing, facts.is_over], mailbox=mailbox)
    subject = translator.gettext("[Resolved] %(headline)s", headline=headline) if facts.is_over else headline
    last_look = facts.last_look
    return {
        "language": translator.language,
        "colon": translator.colon,
        "organisation": plain(organisation.name, 80),
        "subject": plain(subject, 200),
        "tone": "good" if facts.is_over else "critical",
        "footer": translator.gettext(
            "Written by bounce_watch, once when this lasts and once when it is over."
        ),
        "headline": headline,
        "mailbox": mailbox,
        "over": facts.is_over,
        "filing": facts.is_about_filing,
        "since": f"{translator.moment(local_time.local(facts.since, zone))} ({zone})",
        "now": translator.moment(local_time.local(facts.now, zone)),
        "last_look": translator.moment(local_time.local(last_look, zone)) if last_look else "",
        "why": plain(facts.why, 400),
        "repair": plain(facts.repair, 400),
        "commands": [plain(command, 400) for command in facts.commands[:MAX_COMMANDS]],
    }
