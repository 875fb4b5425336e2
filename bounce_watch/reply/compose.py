"""The composer: facts in, letters out. Texts come from folders; a site's folder overrides file by file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bounce_watch.model import Digest, Letter
from bounce_watch.reply.alert import alert
from bounce_watch.reply.digest import digest_letter
from bounce_watch.reply.facts import (
    AlertFacts,
    NoticeFacts,
    Organisation,
    OutageFacts,
    ReplyFacts,
)
from bounce_watch.reply.guidance import guidance
from bounce_watch.reply.notice import notice
from bounce_watch.reply.outage import outage
from bounce_watch.reply.playbooks import Playbook
from bounce_watch.reply.templates import Templates


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
