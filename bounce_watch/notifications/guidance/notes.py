"""Notes: what applies to this case, in place of the general texts of the cause.

A likely typing error, a stale Outlook entry, a closed group, the sizes, the blocklist, an open incident, an
earlier bounce: each replaces a step or a sentence, so that the reply stays short.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bounce_watch.model import Bounce, Cause, Side
from bounce_watch.model.dns import NO_DOMAIN, NULL_MX
from bounce_watch.notifications.errors import UntranslatedText
from bounce_watch.notifications.facts import OrganisationProfile, ReplyFacts
from bounce_watch.notifications.guidance.suggestions import find_entry_name, find_suggestion
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.templates import Templates, Value
from bounce_watch.notifications.rendering.translator import Translator

# Catalogue rows about a group that accepts messages only from certain people.
GROUPS = frozenset(("5.7.124", "5.7.133", "5.7.193", "text/google-groups"))
# Here the sender must call support at once, so no note replaces that.
CALL_FIRST = frozenset((Cause.SENDER_BLOCKED, Cause.SENDER_BANNED, Cause.VIRUS_DETECTED))
MAX_PAIRS = 2
UNDELIVERABLE = frozenset(
    (Cause.DOMAIN_NOT_FOUND, Cause.DOMAIN_ACCEPTS_NO_MAIL, Cause.NETWORK_ERROR, Cause.MESSAGE_EXPIRED)
)
"""Causes that a question to DNS about the recipient's domain proves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The parts of a reply that a note may replace."""

    steps: tuple[str, ...]
    why: str
    again: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """The notes of one reply, in its language. `values` are what every text may use."""

    templates: Templates
    translator: Translator
    organisation: OrganisationProfile
    facts: ReplyFacts
    lead: Bounce
    values: Mapping[str, Value]

    def apply_to(self, advice: Advice) -> Advice:
        """Return the advice with the notes for this case, without those that the language lacks."""
        # The first step of a text asks to look or to compare.
        first = self._first_step()
        steps = (first, *advice.steps[1:]) if first else advice.steps
        return Advice(steps=steps, why=self._why() or advice.why, again=self._again(steps) or advice.again)

    def _say(self, block: str, **values: Value) -> str:
        notes = f"replies/{self.translator.language}/notes.j2"
        try:
            text = self.templates.block(notes, block, {**self.values, **values})
        except UntranslatedText:
            return ""
        return " ".join(lines_of(text))

    def _first_step(self) -> str | None:
        name = find_entry_name(self.lead)
        if name is not None and self.lead.cause is Cause.RECIPIENT_UNKNOWN:
            return self._say("stale_step", entry=name)
        if self.lead.side is not Side.OURS and self.lead.entry in GROUPS:
            return self._say("group_step")
        pairs = self._pairs()
        return self._say("suggestion", pairs=pairs) if pairs else None

    def _pairs(self) -> list[Value]:
        """Return up to two pairs of the given address and the one probably meant."""
        pairs: dict[str, str] = {}
        for bounce in self.facts.bounces:
            meant = find_suggestion(bounce, self.facts.known_addresses, self.facts.known_domains)
            if meant and bounce.cause is self.lead.cause:
                pairs[bounce.recipient] = meant
        shown: list[Value] = [{"given": given, "meant": meant} for given, meant in pairs.items()]
        return shown[:MAX_PAIRS]

    def _why(self) -> str | None:
        if self.facts.dns is not None and self.lead.cause in UNDELIVERABLE:
            asked = local_time.local(self.facts.dns.asked_at, self.organisation.time_zone)
            return self._say(_dns_block(self.facts.dns.why), asked=self.translator.clock(asked))
        details = self.lead.details
        if details is None:
            return None
        if self.lead.cause is Cause.MESSAGE_TOO_LARGE and details.size_limit:
            megabytes = self.translator.megabytes
            return self._say(
                "size_why", limit=megabytes(details.size_limit), size=megabytes(details.message_size)
            )
        if self.lead.cause is Cause.BLOCKED_REPUTATION and details.blocklist:
            return self._say("listed_why", blocklist=plain(details.blocklist, 40))
        return None

    def _again(self, steps: tuple[str, ...]) -> str | None:
        """Return whether resending helps: an open incident takes precedence over earlier attempts."""
        if self.lead.cause in CALL_FIRST:
            return None
        if self.facts.incident:
            named = any(str(self.values["incident"]) in step for step in steps)
            return self._say("again_known", named=named, **self._since())
        match self.facts.earlier_bounces:
            case 0:
                return None
            case 1:
                return self._say("again_second")
            case count:
                return self._say("again_third", times=count + 1)

    def _since(self) -> dict[str, Value]:
        """Return when the incident opened; only the time of day and its hour on the day of the bounce."""
        since, zone = self.facts.incident_since, self.organisation.time_zone
        if since is None:
            return {"since": "", "hour": None}
        there, bounced = local_time.local(since, zone), self.lead.occurred_at
        if bounced is not None and local_time.local(bounced, zone).date() == there.date():
            return {"since": self.translator.clock(there), "hour": there.hour}
        return {"since": self.translator.moment(there), "hour": None}


def _dns_block(why: str) -> str:
    if why == NO_DOMAIN:
        return "no_domain_why"
    return "null_mx_why" if why.startswith(NULL_MX) else "no_server_why"


def lines_of(text: str) -> list[str]:
    """Return the stripped lines that are not empty; no-break spaces within stay, as French has before `?`."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def said_once(lead: Advice, mails: list[dict[str, Value]]) -> list[dict[str, Value]]:
    """Group messages with the same advice: the last of a group has the steps, those with the lead's none."""
    groups: dict[tuple[Value, Value], list[dict[str, Value]]] = {(str(list(lead.steps)), lead.again): []}
    for mail in mails:
        groups.setdefault((str(mail["steps"]), mail["again"]), []).append(mail)
    first, *others = groups.values()
    return [
        *({**mail, "steps": [], "like_first": True} for mail in first),
        *(mail if mail is group[-1] else {**mail, "steps": []} for group in others for mail in group),
    ]
