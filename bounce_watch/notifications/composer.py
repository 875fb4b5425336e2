"""The composer: facts in, letters out. Texts come from folders; a site's folder overrides file by file.

The all-clear for a colleague: the incident is over, and these mails of theirs may be sent again.

The mail to an admin about a mailbox that cannot be read, and the all-clear.

What a chat room reads of an incident: few lines, and nothing in them that calls people or is a link."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bounce_watch.model import Digest, Incident, Letter, LetterKind
from bounce_watch.notifications.alert.letter import alert, title_of
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.digest import digest_letter
from bounce_watch.notifications.facts import (
    AlertFacts,
    NoticeFacts,
    Organisation,
    OutageFacts,
    OwnMail,
    ReplyFacts,
)
from bounce_watch.notifications.guidance.letter import guidance
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.labels import OWNERS, SEVERITIES
from bounce_watch.notifications.rendering.safe_text import defang, plain
from bounce_watch.notifications.rendering.templates import Templates, Value, inline

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
        "sent": local_time.short(mail.sent_at, organisation.time_zone) if mail.sent_at else "",
    }


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
        "since": local_time.short(facts.since, zone),
        "now": local_time.short(facts.now, zone),
        "last_look": local_time.short(facts.last_look, zone) if facts.last_look else "",
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


class Composer:
    """Writes letters for one organisation. Folders are in order of preference: the site's, then ours."""

    def __init__(
        self,
        folders: Sequence[Path],
        organisation: Organisation,
        playbooks: Mapping[str, Playbook] | None = None,
    ) -> None:
        self._templates = Templates(folders)
        self._organisation = organisation
        self._playbooks = dict(playbooks or {})

    def reply(self, facts: ReplyFacts) -> Letter:
        """Return guidance for one colleague about one mail. Raises TemplateFault."""
        return guidance(self._templates, self._organisation, facts)

    def alert(self, facts: AlertFacts) -> Letter:
        """Return the mail that tells one admin about an incident. Raises TemplateFault."""
        return alert(self._templates, self._organisation, self._playbooks, facts)

    def notice(self, facts: NoticeFacts) -> Letter:
        """Return the all-clear for one colleague. Raises TemplateFault."""
        return notice(self._templates, self._organisation, facts)

    def outage(self, facts: OutageFacts) -> Letter:
        """Return the mail about a mailbox that cannot be read, or is again. Raises TemplateFault."""
        return outage(self._templates, self._organisation, facts)

    def digest(self, digest: Digest, *, event_key: str, to: str) -> Letter:
        """Return the digest of one day for one admin. Raises TemplateFault."""
        return digest_letter(
            self._templates, self._organisation, self._playbooks, digest, event_key=event_key, to=to
        )


_MARKS = re.compile(r"[`*_~|<>\[\](){}#\\]")


def chat_text(subject: str, incident: Incident) -> tuple[str, str]:
    """Return title and text. `subject` is that of the mail about it, whose details stay in the mail."""
    finding = incident.finding
    mails = f"{finding.messages} mail{'' if finding.messages == 1 else 's'}"
    text = (
        f"{quiet(title_of(finding))}\n"
        f"{SEVERITIES[finding.severity]} · must act: {OWNERS[finding.owner]} · {mails}\n"
        f"What to do stands in the mail; here: bounce-watch incidents show {incident.number}"
    )
    return quiet(subject), text


def quiet(text: str) -> str:
    """Return a text in which no room sees a mention, a command, markup or a link."""
    return defang(_MARKS.sub("", plain(text, 200))).replace("@", " at ")
