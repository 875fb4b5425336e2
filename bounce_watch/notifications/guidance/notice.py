"""The all-clear for a colleague: an incident is resolved, these emails can be resent."""

from bounce_watch.model import Letter, LetterKind
from bounce_watch.notifications.alert.wording import title_of
from bounce_watch.notifications.facts import NoticeFacts, OrganisationProfile, OwnMail
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter
from bounce_watch.notifications.rendering.translator import Translator
from bounce_watch.notifications.translatable import N_

MAX_MAILS = 20
_FOOTERS = {
    True: N_(
        "This email was sent automatically by %(organisation)s because our IT team asked for it. "
        "Our IT team reads replies."
    ),
    False: N_(
        "This email was sent automatically by %(organisation)s because our IT team asked for it. "
        "Replies aren't monitored."
    ),
}
"""By whether replies are read."""


def notice(templates: Templates, organisation: OrganisationProfile, facts: NoticeFacts) -> Letter:
    """Compose the all-clear for one sender. Raises TemplateFault."""

    def write(translator: Translator) -> Letter:
        values = _values(translator, organisation, facts)
        return write_letter(
            templates, "alerts/notice", values, LetterKind.REPLY, event_key=facts.event_key, to=facts.to
        )

    return templates.in_best_language((facts.language, organisation.language), write)


def _values(
    translator: Translator, organisation: OrganisationProfile, facts: NoticeFacts
) -> dict[str, Value]:
    zone, name = organisation.time_zone, plain(organisation.name, 80)
    footer = translator.gettext(_FOOTERS[organisation.reads_replies], organisation=name)
    return {
        "language": translator.language,
        "organisation": name,
        "footer": footer,
        "support": plain(organisation.support, 120),
        "subject": translator.catalog.gettext("You can resend your email"),
        "tone": "good",
        "name": facts.incident.name,
        "title": title_of(facts.incident.finding),
        "mails": [_mail(translator, mail, zone) for mail in facts.mails[:MAX_MAILS]],
        "more": max(len(facts.mails) - MAX_MAILS, 0),
    }


def _mail(translator: Translator, mail: OwnMail, zone: str) -> Value:
    sent = translator.moment(local_time.local(mail.sent_at, zone)) if mail.sent_at else ""
    return {"recipient": plain(mail.recipient, 80), "subject": plain(mail.subject, 80), "sent": sent}
