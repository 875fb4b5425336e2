"""What follows from a reply to our messages: the email to support, and the line that confirms a command.

What a person wrote is plain text here: cleaned, its links broken, and cut.
"""

from dataclasses import replace

from bounce_watch.model import Letter, LetterKind
from bounce_watch.notifications.alert.wording import COMMANDS
from bounce_watch.notifications.facts import ConfirmationFacts, Done, OrganisationProfile, QuestionFacts
from bounce_watch.notifications.freeze import is_message_id
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.labels import CAUSES
from bounce_watch.notifications.rendering.safe_text import defang, plain, quoted
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter
from bounce_watch.notifications.rendering.translator import Translator
from bounce_watch.notifications.translatable import N_

MAX_LINES = 60
LONGEST_LINE = 500
_DONE = {
    Done.ACKNOWLEDGED: N_("%(name)s is acknowledged; the reminders end."),
    Done.SILENCED: N_("%(name)s is silent until %(until)s."),
    Done.RESOLVED: N_("%(name)s is resolved."),
    Done.NOTED: N_("Your note is in the history of %(name)s: “%(note)s”"),
    Done.CLOSED: N_("%(name)s is closed already, so your reply changed nothing."),
    Done.NOT_UNDERSTOOD: N_(
        "Your reply to “%(subject)s” wasn't understood and changed nothing. "
        "The first line can be: %(commands)s, or a note."
    ),
}


def question(templates: Templates, organisation: OrganisationProfile, facts: QuestionFacts) -> Letter:
    """Compose the email to support about a colleague. A reply to it goes to the colleague."""

    def write(translator: Translator) -> Letter:
        values = _common(translator, organisation) | _asked(translator, organisation, facts)
        letter = write_letter(
            templates, "support/message", values, LetterKind.QUESTION, event_key=facts.event_key, to=facts.to
        )
        return replace(letter, reply_to=facts.person)

    return templates.in_best_language((organisation.language,), write)


def _asked(
    translator: Translator, organisation: OrganisationProfile, facts: QuestionFacts
) -> dict[str, Value]:
    person, gettext = plain(facts.person, 254), translator.gettext
    sent_at = translator.moment(local_time.local(facts.sent_at, organisation.time_zone))
    sections: list[Value] = [{"title": gettext("What we wrote"), "lines": _lines(facts.text)}]
    if facts.words is not None:
        subject = gettext("%(person)s replied about a bounced email", person=person)
        lead = gettext(
            "%(person)s replied to our email “%(subject)s” of %(sent_at)s.",
            person=person,
            subject=quoted(facts.subject, 200, (facts.recipient,)),
            sent_at=sent_at,
        )
        words = _lines(defang(facts.words)) or [gettext("(no text)")]
        sections.insert(0, {"title": gettext("What they wrote"), "lines": words})
    else:
        subject = gettext("%(person)s: our advice doesn't help", person=person)
        lead = gettext(
            "%(person)s wrote to %(recipient)s %(times)s times in 30 days after our advice, and each email "
            "bounced (%(cause)s). Please call them.",
            person=person,
            recipient=quoted(facts.recipient, 254, (facts.recipient,)),
            times=facts.times,
            cause=gettext(CAUSES[facts.cause]),
        )
    return {
        "subject": plain(subject, 200),
        "lead": lead,
        "sections": sections,
        "command": f"bounce-watch show {facts.bounce}" if facts.bounce else "",
        "footer": gettext(
            "Written by bounce_watch. If you reply, your reply goes to %(person)s.", person=person
        ),
    }


def confirmation(templates: Templates, organisation: OrganisationProfile, facts: ConfirmationFacts) -> Letter:
    """Compose the line that tells an admin what a reply did."""

    def write(translator: Translator) -> Letter:
        until = (
            translator.moment(local_time.local(facts.until, organisation.time_zone)) if facts.until else ""
        )
        lead = translator.gettext(
            _DONE[facts.done],
            name=facts.name,
            until=until,
            note=quoted(facts.note, 200),
            subject=quoted(facts.subject, 200),
            commands=COMMANDS,
        )
        named = translator.gettext("%(name)s: your reply", name=facts.name or "bounce_watch")
        footer = translator.gettext("Written by bounce_watch because you replied to an alert.")
        values: dict[str, Value] = {"subject": named, "lead": lead, "sections": [], "command": ""}
        return write_letter(
            templates,
            "support/message",
            _common(translator, organisation) | values | {"footer": footer},
            LetterKind.CONFIRMATION,
            event_key=facts.event_key,
            to=facts.to,
            in_reply_to=facts.in_reply_to if is_message_id(facts.in_reply_to) else None,
        )

    return templates.in_best_language((organisation.language,), write)


def _common(translator: Translator, organisation: OrganisationProfile) -> dict[str, Value]:
    return {"language": translator.language, "organisation": plain(organisation.name, 80), "tone": ""}


def _lines(text: str) -> list[Value]:
    """Return the lines of a text, each cleaned; blank ones between paragraphs stay."""
    lines = [plain(line, LONGEST_LINE) for line in text.strip().splitlines()[:MAX_LINES]]
    return [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
