"""Compose the reply to a sender from the facts of one bounced message and the texts of its cause."""

import re
from collections import Counter

from bounce_watch.model import EXCHANGE_ONLINE_DECIDES, Bounce, Cause, Letter, LetterKind, Owner, Side
from bounce_watch.model.address import is_deliverable
from bounce_watch.notifications.facts import OrganisationProfile, ReplyFacts
from bounce_watch.notifications.freeze import is_message_id
from bounce_watch.notifications.guidance.notes import Advice, Notes, lines_of
from bounce_watch.notifications.guidance.suggestions import find_entry_name, is_stale_entry
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.safe_text import defang, plain, quoted
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter

FALLBACK = "en"
MAX_DETAILS = 5
LONGEST_SUBJECT = 60
LONGEST_ADDRESS = 80
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_TITLES = ("greeting", "ask", "footer", "recipient_label", "code_label", "server_label", "quote_label")
_HEADINGS = ("todo", "why", "again", "others", "details")
# If recipients failed for different causes, the reply is about the first of these owners.
_FIRST = (
    *(Owner.SECURITY, Owner.MAIL_ADMIN, Owner.SENDER),
    *(Owner.RECIPIENT_ADMIN, Owner.PROVIDER, Owner.NOBODY),
)

_ABOUT_US = EXCHANGE_ONLINE_DECIDES | {Cause.CLIENT_NOT_AUTHENTICATED, Cause.LOCAL_SYSTEM_ERROR}
"""Causes whose texts tell what our own mail system did."""


def leading(bounces: tuple[Bounce, ...]) -> Bounce:
    """Return the bounce that the reply is about: by the order of owners, then by the most frequent cause."""
    frequency = Counter(bounce.cause for bounce in bounces)
    return min(bounces, key=lambda bounce: (_FIRST.index(bounce.owner), -frequency[bounce.cause]))


def guidance(templates: Templates, organisation: OrganisationProfile, facts: ReplyFacts) -> Letter:
    """Compose the reply to one sender about one message. Raises TemplateFault."""
    return write_letter(
        templates,
        "replies/letter",
        _filled(templates, organisation, facts),
        LetterKind.REPLY,
        event_key=facts.event_key,
        to=facts.to,
        in_reply_to=facts.mail_id if is_message_id(facts.mail_id) else None,
    )


def guidance_text(templates: Templates, organisation: OrganisationProfile, facts: ReplyFacts) -> str:
    """Return only the text of a reply, which takes a tenth of the time. Raises TemplateFault."""
    return templates.render("replies/letter.txt.j2", _filled(templates, organisation, facts))


def _filled(templates: Templates, organisation: OrganisationProfile, facts: ReplyFacts) -> dict[str, Value]:
    """Return the values of the reply: the texts of the cause, the notes for this case, the details."""
    lead = leading(facts.bounces)
    source, words = _texts(
        templates, lead, _languages(facts.language, facts.earlier_language, organisation.language)
    )
    values = _values(templates, words, organisation, facts, lead)
    values["headline"] = templates.block(source, "headline", values)
    general = Advice(
        steps=tuple(lines_of(templates.block(source, "steps", values))),
        why=" ".join(lines_of(templates.block(source, "why", values))),
        again=" ".join(lines_of(templates.block(source, "again", values))),
    )
    notes = Notes(templates=templates, organisation=organisation, facts=facts, lead=lead, values=values)
    advice = notes.apply_to(general)
    return {
        **values,
        **{name: templates.block(words, name, values) for name in _TITLES},
        **{f"{name}_title": templates.block(words, name, values) for name in _HEADINGS},
        "subject": plain(templates.block(words, "subject", values), 200),
        "opening": templates.block(words, "opening", values),
        "steps": list(advice.steps),
        "why": advice.why,
        "again": advice.again,
        "others": _others(templates, facts, lead, values),
        "tone": "critical" if lead.owner is Owner.SECURITY else "",
    }


def _languages(*wanted: str | None) -> list[str]:
    """Return language folders in order of preference; `de-DE` means `de`, invalid tags are dropped."""
    tags = ((tag or "").lower().partition("-")[0] for tag in wanted)
    return list(dict.fromkeys([*filter(_LANGUAGE.fullmatch, tags), FALLBACK]))


def _texts(templates: Templates, lead: Bounce, languages: list[str]) -> tuple[str, str]:
    """Return the files for the cause and for the fixed words, both in the same language."""
    for name in _names(lead):
        for language in languages:
            source, words = f"replies/{language}/{name}.j2", f"replies/{language}/words.j2"
            if templates.exists(words) and templates.exists(source):
                return source, words
    return f"replies/{FALLBACK}/general.j2", f"replies/{FALLBACK}/words.j2"


def _names(lead: Bounce) -> tuple[str, ...]:
    """Return the texts that fit, the closest first; a remote server's word never speaks of our own system."""
    if lead.side is Side.THEIRS and lead.cause in _ABOUT_US:
        return ("general",)
    needs_us = lead.owner is Owner.MAIL_ADMIN and lead.side is Side.THEIRS
    return (str(lead.cause), *(() if needs_us else (f"owner_{lead.owner}",)), "general")


def _values(
    templates: Templates, words: str, organisation: OrganisationProfile, facts: ReplyFacts, lead: Bounce
) -> dict[str, Value]:
    """Return all values that a text may use, cleaned: plain strings, numbers and lists."""
    same = [bounce for bounce in facts.bounces if bounce.cause is lead.cause]
    recipients = list(dict.fromkeys(_named(bounce) for bounce in same))
    listed: dict[str, Value] = {"recipients": recipients}
    return {
        "language": words.split("/")[1],
        "organisation": plain(organisation.name, 80),
        "support": plain(organisation.support, 120),
        "who": templates.block(words, "who", listed),
        "who_short": templates.block(words, "who_short", listed),
        "many": len(recipients) > 1,
        "mail_subject": defang(plain(facts.mail_subject, LONGEST_SUBJECT)),
        "sent_at": _sent_at(templates, words, organisation, facts),
        "owner": str(lead.owner),
        "side": str(lead.side or ""),
        "persistence": str(lead.persistence),
        "incident": defang(plain(facts.incident, 20)),
        "stale_entry": is_stale_entry(lead),
        "details": [_detail(bounce) for bounce in facts.bounces[:MAX_DETAILS]],
        "quote": next((quoted(b.diagnostic_code) for b in (lead, *facts.bounces) if b.diagnostic_code), ""),
    }


def _named(bounce: Bounce) -> str:
    """Return the recipient for a sentence: the name of a stale Outlook entry, else the address."""
    return find_entry_name(bounce) or shown_address(bounce)


def shown_address(bounce: Bounce) -> str:
    """Return the recipient for people: an IMCEAEX address decoded, an unusual one cleaned and defanged."""
    address = bounce.recipient_decoded or bounce.recipient
    if is_deliverable(address) and len(address) <= LONGEST_ADDRESS:
        return str(address)
    return defang(plain(address, LONGEST_ADDRESS)) or "?"


def _sent_at(templates: Templates, words: str, organisation: OrganisationProfile, facts: ReplyFacts) -> str:
    if facts.mail_date is None:
        return ""
    return local_time.written(templates, words, local_time.local(facts.mail_date, organisation.time_zone))


def _detail(bounce: Bounce) -> dict[str, Value]:
    codes = dict.fromkeys(code for code in (bounce.reply_code, bounce.status) if code)
    return {
        "address": shown_address(bounce),
        "code": quoted(" ".join(codes), 20),
        "server": quoted(bounce.remote_mta, 80),
    }


def _others(
    templates: Templates, facts: ReplyFacts, lead: Bounce, values: dict[str, Value]
) -> list[dict[str, Value]]:
    """Return the recipients of the message that failed for another cause, each with its headline."""
    languages = [str(values["language"])]
    others: dict[str, dict[str, Value]] = {}
    for bounce in facts.bounces:
        if bounce.cause is not lead.cause and len(others) < MAX_DETAILS:
            source = _texts(templates, bounce, languages)[0]
            headline = templates.block(source, "headline", {**values, "many": False})
            others[shown_address(bounce)] = {"address": shown_address(bounce), "headline": headline}
    return list(others.values())
