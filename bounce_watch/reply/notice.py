"""The all-clear for a colleague: the incident is over, and these mails of theirs may be sent again."""

from bounce_watch.model import Letter, LetterKind
from bounce_watch.reply import moments
from bounce_watch.reply.alert import title_of
from bounce_watch.reply.facts import NoticeFacts, Organisation, OwnMail
from bounce_watch.reply.inline import inline
from bounce_watch.reply.safe_text import plain
from bounce_watch.reply.templates import Templates, Value

MOST_MAILS = 20


def notice(templates: Templates, organisation: Organisation, facts: NoticeFacts) -> Letter:
    """Compose the all-clear for one colleague; it names no mail but theirs. Raises TemplateFault."""
    mails: list[Value] = [_shown(mail, organisation) for mail in facts.mails[:MOST_MAILS]]
    subject = "You can send your mail again"
    values: dict[str, Value] = {
        "language": "en",
        "organisation": plain(organisation.name, 80),
        "support": plain(organisation.support, 120),
        "subject": subject,
        "tone": "good",
        "footer": "Written by bounce_watch because our mail admins asked it to.",
        "name": facts.incident.name,
        "title": title_of(facts.incident.finding),
        "mails": mails,
        "more": max(len(facts.mails) - MOST_MAILS, 0),
    }
    return Letter(
        kind=LetterKind.REPLY,
        event_key=facts.event_key,
        to=facts.to,
        subject=subject,
        text=templates.render("alerts/notice.txt.j2", values),
        html=inline(templates.render("alerts/notice.html.j2", values)),
    )


def _shown(mail: OwnMail, organisation: Organisation) -> Value:
    return {
        "recipient": plain(mail.recipient, 80),
        "subject": plain(mail.subject or "", 80),
        "sent": moments.short(mail.sent_at, organisation.time_zone) if mail.sent_at else "",
    }
