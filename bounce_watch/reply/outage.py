"""The mail to an admin about a mailbox that cannot be read, and the all-clear."""

from bounce_watch.model import Letter, LetterKind
from bounce_watch.reply import moments
from bounce_watch.reply.facts import Organisation, OutageFacts
from bounce_watch.reply.inline import inline
from bounce_watch.reply.safe_text import plain
from bounce_watch.reply.templates import Templates, Value

MOST_COMMANDS = 10


def outage(templates: Templates, organisation: Organisation, facts: OutageFacts) -> Letter:
    """Compose the mail for one admin. Raises TemplateFault."""
    mailbox, zone = plain(facts.mailbox, 120), organisation.time_zone
    said = "is read again" if facts.is_over else "cannot be read"
    subject = f"{'[Over] ' if facts.is_over else ''}The bounce mailbox {mailbox} {said}"
    values: dict[str, Value] = {
        "language": "en",
        "organisation": plain(organisation.name, 80),
        "subject": subject,
        "tone": "good" if facts.is_over else "critical",
        "footer": "Written by bounce_watch, once when this lasts and once when it is over.",
        "mailbox": mailbox,
        "over": facts.is_over,
        "since": moments.short(facts.since, zone),
        "now": moments.short(facts.now, zone),
        "last_look": moments.short(facts.last_look, zone) if facts.last_look else "",
        "why": plain(facts.why, 400),
        "repair": plain(facts.repair, 400),
        "commands": [plain(command, 400) for command in facts.commands[:MOST_COMMANDS]],
    }
    return Letter(
        kind=LetterKind.ALERT,
        event_key=facts.event_key,
        to=facts.to,
        subject=plain(subject, 200),
        text=templates.render("alerts/outage.txt.j2", values),
        html=inline(templates.render("alerts/outage.html.j2", values)),
    )
