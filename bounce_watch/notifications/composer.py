"""Compose emails and chat messages from facts, with the templates of the site and of this package."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from bounce_watch.classify import Catalogue
from bounce_watch.model import Digest, Incident, Letter
from bounce_watch.notifications.alert.letter import alert
from bounce_watch.notifications.alert.outage import outage
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.alert.wording import title_of
from bounce_watch.notifications.digest.letter import digest_letter
from bounce_watch.notifications.errors import TemplateFault
from bounce_watch.notifications.facts import (
    AlertFacts,
    ConfirmationFacts,
    NoticeFacts,
    OrganisationProfile,
    OutageFacts,
    OwnerFacts,
    QuestionFacts,
    ReplyFacts,
)
from bounce_watch.notifications.guidance.letter import advice, guidance
from bounce_watch.notifications.guidance.notes import Advice
from bounce_watch.notifications.guidance.notice import notice
from bounce_watch.notifications.guidance.owner import owner_letter
from bounce_watch.notifications.rendering.labels import OWNERS, SEVERITIES
from bounce_watch.notifications.rendering.safe_text import defang, plain
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.notifications.replied import confirmation, question

_Text = TypeVar("_Text")
_MARKUP = re.compile(r"[`*_~|<>\[\](){}#\\]")


def _raise(fault: TemplateFault) -> None:
    raise fault


class Composer:
    """Composes emails for one organization. `folders` hold templates: the site's first, then ours.

    `on_fault` hears of a fault in a site's template, and the text is ours then: what is known about a
    bounce does not depend on how a letter is worded. By default the fault is raised.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        organisation: OrganisationProfile,
        playbooks: Mapping[str, Playbook] | None = None,
        catalogue: Catalogue | None = None,
        on_fault: Callable[[TemplateFault], None] = _raise,
    ) -> None:
        self._templates, self._ours = Templates(folders), Templates(folders[-1:])
        self._on_fault = on_fault
        self._organisation = organisation
        self._playbooks = dict(playbooks or {})
        self._catalogue = catalogue

    def reply(self, facts: ReplyFacts) -> Letter:
        """Return the reply to one sender about one bounced message."""
        return self._write(lambda texts: guidance(texts, self._organisation, facts))

    def advice(self, facts: ReplyFacts) -> Advice:
        """Return in English what a reply tells the sender to do."""
        return self._write(lambda texts: advice(texts, self._organisation, facts))

    def alert(self, facts: AlertFacts) -> Letter:
        """Return the alert to one admin about an incident."""
        return self._write(
            lambda texts: alert(texts, self._organisation, self._playbooks, facts, self._catalogue)
        )

    def notice(self, facts: NoticeFacts) -> Letter:
        """Return the all-clear for one sender."""
        return self._write(lambda texts: notice(texts, self._organisation, facts))

    def owner(self, facts: OwnerFacts) -> Letter:
        """Return the letter to who looks after addresses that no person reads."""
        return self._write(lambda texts: owner_letter(texts, self._organisation, facts))

    def outage(self, facts: OutageFacts) -> Letter:
        """Return the email to an admin about a mailbox that cannot be read or filed, or works again."""
        return self._write(lambda texts: outage(texts, self._organisation, facts))

    def question(self, facts: QuestionFacts) -> Letter:
        """Return the email to support about a colleague whom a letter did not help."""
        return self._write(lambda texts: question(texts, self._organisation, facts))

    def confirmation(self, facts: ConfirmationFacts) -> Letter:
        """Return what a reply to an alert did, for the admin who wrote it."""
        return self._write(lambda texts: confirmation(texts, self._organisation, facts))

    def digest(self, digest: Digest, *, event_key: str, to: str) -> Letter:
        """Return the digest for one admin."""
        return self._write(
            lambda texts: digest_letter(
                texts,
                self._organisation,
                self._playbooks,
                digest,
                event_key=event_key,
                to=to,
                catalogue=self._catalogue,
            )
        )

    def _write(self, text_of: Callable[[Templates], _Text]) -> _Text:
        try:
            return text_of(self._templates)
        except TemplateFault as fault:
            self._on_fault(fault)
            return text_of(self._ours)


def chat_text(subject: str, incident: Incident) -> tuple[str, str]:
    """Return title and text of the chat message about an incident. `subject` is that of its alert."""
    finding = incident.finding
    messages = f"{finding.messages} message{'' if finding.messages == 1 else 's'}"
    text = (
        f"{quiet(title_of(finding))}\n"
        f"{SEVERITIES[finding.severity]} · Owner: {OWNERS[finding.owner]} · {messages}\n"
        f"Steps: see the email, or run bounce-watch incidents show {incident.number}"
    )
    return quiet(subject), text


def quiet(text: str) -> str:
    """Return a text without mentions, commands, markup and links."""
    return defang(_MARKUP.sub("", plain(text, 200))).replace("@", " at ")
