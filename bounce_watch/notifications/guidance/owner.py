"""The letter to the owner of addresses that no person reads: which mails of theirs failed, and what to do."""

from dataclasses import replace

from bounce_watch.model import Letter, LetterKind
from bounce_watch.notifications.facts import OrganisationProfile, OwnerFacts, ReplyFacts, UnreadSender
from bounce_watch.notifications.guidance.letter import LONGEST_SUBJECT, listed, shown_address, written
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.safe_text import defang, plain
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter
from bounce_watch.notifications.rendering.translator import Translator

MAX_SENDERS = 3
"""Maximum number of senders that a sentence names."""


def owner_letter(templates: Templates, organisation: OrganisationProfile, facts: OwnerFacts) -> Letter:
    """Compose the letter to one owner. Raises TemplateFault."""

    def write(translator: Translator) -> Letter:
        values = _values(templates, translator, organisation, facts)
        return write_letter(
            templates, "alerts/owner", values, LetterKind.OWNER, event_key=facts.event_key, to=facts.to
        )

    return templates.in_best_language((facts.language, organisation.language), write)


def _values(
    templates: Templates, translator: Translator, organisation: OrganisationProfile, facts: OwnerFacts
) -> dict[str, Value]:
    names, organisation_name = [plain(sender, 80) for sender in facts.senders], plain(organisation.name, 80)
    senders = listed(templates, translator, names, MAX_SENDERS)
    subject = translator.ngettext(
        "An email from %(senders)s wasn't delivered",
        "%(count)s emails from %(senders)s weren't delivered",
        facts.messages,
        senders=listed(templates, translator, names, 1),
    )
    words = f"replies/{translator.language}/words.j2"
    own: dict[str, Value] = {
        "language": translator.language,
        "organisation": organisation_name,
        "support": plain(organisation.support, 120),
    }
    return {
        **own,
        "colon": translator.colon,
        "tone": "",
        "subject": plain(subject, 200),
        "opening": translator.gettext(
            "You get this email because you look after %(senders)s. "
            "These emails from there weren't delivered.",
            senders=senders,
        ),
        "footer": translator.gettext(
            "This email was sent automatically by %(organisation)s because our IT team asked for it. "
            "Replies aren't monitored.",
            organisation=organisation_name,
        ),
        **{name: templates.block(words, name, own) for name in ("greeting", "ask")},
        "todo_title": templates.block(words, "todo", own),
        "parts": [_part(templates, translator, organisation, one) for one in facts.unread],
        "more": facts.more,
    }


def _part(
    templates: Templates, translator: Translator, organisation: OrganisationProfile, unread: UnreadSender
) -> Value:
    """Return the mails of one sender that failed for one cause, and what a reply about them says."""
    bounces = tuple(bounce for mail in unread.mails for bounce in mail.bounces)
    texts = written(templates, translator, organisation, replace(unread.mails[0], bounces=bounces))
    mails: list[Value] = [_mail(translator, organisation.time_zone, mail) for mail in unread.mails]
    return {
        "sender": plain(unread.sender, 80),
        "headline": texts["headline"],
        "steps": texts["steps"],
        "mails": mails,
    }


def _mail(translator: Translator, zone: str, mail: ReplyFacts) -> Value:
    sent = translator.moment(local_time.local(mail.mail_date, zone)) if mail.mail_date else ""
    return {
        "recipient": shown_address(mail.bounces[0]),
        "subject": defang(plain(mail.mail_subject, LONGEST_SUBJECT)),
        "sent": sent,
    }
