"""Compose the reply to a sender from the facts of one bounced message and the texts of its cause."""

from collections import Counter
from dataclasses import replace

from bounce_watch.model import (
    EXCHANGE_ONLINE_DECIDES,
    Bounce,
    Cause,
    Certainty,
    Letter,
    LetterKind,
    Owner,
    Side,
)
from bounce_watch.model.address import is_deliverable
from bounce_watch.notifications.facts import OrganisationProfile, ReplyFacts
from bounce_watch.notifications.freeze import is_message_id
from bounce_watch.notifications.guidance.notes import Advice, Notes, lines_of, said_once
from bounce_watch.notifications.guidance.suggestions import find_entry_name, is_stale_entry
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.safe_text import defang, plain, quoted
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter
from bounce_watch.notifications.rendering.translator import Translator

MAX_DETAILS = 5
MAX_MAILS = 5
"""Messages with their steps in one reply; of more only recipient and cause are named."""
LONGEST_SUBJECT = 60
LONGEST_ADDRESS = 80
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


def advice(templates: Templates, organisation: OrganisationProfile, facts: ReplyFacts) -> Advice:
    """Return in English what the reply about one message tells its sender. Raises TemplateFault."""
    return templates.in_best_language(
        (), lambda translator: _advised(templates, translator, organisation, facts)[1]
    )


def _filled(templates: Templates, organisation: OrganisationProfile, facts: ReplyFacts) -> dict[str, Value]:
    """Return the values of the reply in the best language that has all of its texts."""
    wanted = (facts.language, facts.earlier_language, organisation.language)
    return templates.in_best_language(wanted, lambda one: written(templates, one, organisation, facts))


def written(
    templates: Templates, translator: Translator, organisation: OrganisationProfile, facts: ReplyFacts
) -> dict[str, Value]:
    """Return all values: texts of the cause, notes for this case, details. Raises UntranslatedText."""
    lead, words = leading(facts.bounces), f"replies/{translator.language}/words.j2"
    more = [_more(written(templates, translator, organisation, one)) for one in facts.more[:MAX_MAILS]]
    values, advice = _advised(templates, translator, organisation, facts)
    return {
        **values,
        **{name: templates.block(words, name, values) for name in _TITLES},
        **{f"{name}_title": templates.block(words, name, values) for name in _HEADINGS},
        "colon": translator.colon,
        "subject": plain(templates.block(words, "subject", values), 200),
        "opening": templates.block(words, "opening", values),
        "steps": list(advice.steps),
        "why": advice.why,
        "again": advice.again,
        "others": _others(templates, translator, organisation, facts, lead),
        "more": said_once(advice, more),
        "rest": [_line(templates, translator, organisation, one) for one in facts.more[MAX_MAILS:]],
        "tone": "critical" if lead.owner is Owner.SECURITY else "",
    }


def _advised(
    templates: Templates, translator: Translator, organisation: OrganisationProfile, facts: ReplyFacts
) -> tuple[dict[str, Value], Advice]:
    """Return the values for every text, and the steps with the notes for this case."""
    lead = leading(facts.bounces)
    source = _text_of(templates, lead, translator.language)
    values = _values(templates, translator, organisation, facts, lead)
    values["headline"] = templates.block(source, "headline", values)
    general = Advice(
        steps=tuple(lines_of(templates.block(source, "steps", values))),
        why=" ".join(lines_of(templates.block(source, "why", values))),
        again=" ".join(lines_of(templates.block(source, "again", values))),
    )
    notes = Notes(
        templates=templates,
        translator=translator,
        organisation=organisation,
        facts=facts,
        lead=lead,
        values=values,
    )
    return values, notes.apply_to(general)


def _text_of(templates: Templates, bounce: Bounce, language: str) -> str:
    """Return the file of the texts that fit the bounce best."""
    names = [f"replies/{language}/{name}.j2" for name in _names(bounce)]
    return next(filter(templates.exists, names), names[-1])


def _names(lead: Bounce) -> tuple[str, ...]:
    """Return the texts that fit, the closest first.

    A remote server's word never speaks of our own system, and where it told no reason, we claim none.
    """
    if lead.side is Side.THEIRS and lead.cause in _ABOUT_US:
        return ("general",)
    if lead.certainty is Certainty.NOT_TOLD and lead.side is not Side.OURS:
        return ("not_told", "general")
    needs_us = lead.owner is Owner.MAIL_ADMIN and lead.side is Side.THEIRS
    return (str(lead.cause), *(() if needs_us else (f"owner_{lead.owner}",)), "general")


def _values(
    templates: Templates,
    translator: Translator,
    organisation: OrganisationProfile,
    facts: ReplyFacts,
    lead: Bounce,
) -> dict[str, Value]:
    """Return all values that a text may use, cleaned: plain strings, numbers and lists."""
    same = [bounce for bounce in facts.bounces if bounce.cause is lead.cause]
    recipients = list(dict.fromkeys(_named(bounce) for bounce in same))
    bounces = [bounce for one in (facts, *facts.more) for bounce in one.bounces]
    # People compare these letter by letter: they stand as they are, also in the server's words.
    addresses = [address for b in bounces for address in (b.recipient, b.sender, b.recipient_decoded)]
    keep = [str(address) for address in addresses if address and is_deliverable(address)]
    return {
        "language": translator.language,
        "organisation": plain(organisation.name, 80),
        "support": plain(organisation.support, 120),
        "reads_replies": organisation.reads_replies,
        "who": listed(templates, translator, recipients, 3),
        "who_short": listed(templates, translator, recipients, 1),
        "many": len(recipients) > 1,
        "mail_subject": defang(plain(facts.mail_subject, LONGEST_SUBJECT), keep),
        "sent_at": _sent_at(translator, organisation, facts),
        "owner": str(lead.owner),
        "side": str(lead.side or ""),
        "persistence": str(lead.persistence),
        "incident": defang(plain(facts.incident, 20)),
        "stale_entry": is_stale_entry(lead),
        "details": [_detail(bounce) for bounce in bounces[:MAX_DETAILS]],
        "quote": next(
            (quoted(b.diagnostic_code, keep=keep) for b in (lead, *bounces) if b.diagnostic_code), ""
        ),
    }


def listed(templates: Templates, translator: Translator, names: list[str], most: int) -> str:
    """Return the first names as a list in a sentence, and how many more there are."""
    more = len(names) - most
    if more <= 0:
        return translator.listed(names)
    counted = templates.block("phrases.j2", "more", {"language": translator.language, "count": more})
    return translator.listed([*names[:most], counted])


def _named(bounce: Bounce) -> str:
    """Return the recipient for a sentence: the name of a stale Outlook entry, else the address."""
    return find_entry_name(bounce) or shown_address(bounce)


def shown_address(bounce: Bounce) -> str:
    """Return the recipient for people: an IMCEAEX address decoded, an unusual one cleaned and defanged."""
    address = bounce.recipient_decoded or bounce.recipient
    if is_deliverable(address) and len(address) <= LONGEST_ADDRESS:
        return str(address)
    return defang(plain(address, LONGEST_ADDRESS)) or "?"


def _sent_at(translator: Translator, organisation: OrganisationProfile, facts: ReplyFacts) -> str:
    date, zone = facts.mail_date, organisation.time_zone
    return translator.moment(local_time.local(date, zone)) if date else ""


def _detail(bounce: Bounce) -> dict[str, Value]:
    codes = dict.fromkeys(code for code in (bounce.reply_code, bounce.status) if code)
    return {
        "address": shown_address(bounce),
        "code": quoted(" ".join(codes), 20),
        "server": quoted(bounce.remote_mta, 80),
    }


def _others(
    templates: Templates,
    translator: Translator,
    organisation: OrganisationProfile,
    facts: ReplyFacts,
    lead: Bounce,
) -> list[dict[str, Value]]:
    """Return the recipients of the message that failed for other causes, each with headline and own steps."""
    causes = dict.fromkeys(bounce.cause for bounce in facts.bounces if bounce.cause is not lead.cause)
    others: list[dict[str, Value]] = []
    for cause in list(causes)[:MAX_DETAILS]:
        same = tuple(bounce for bounce in facts.bounces if bounce.cause is cause)
        one = replace(facts, bounces=same, more=(), incident=None, earlier_bounces=0)
        texts = written(templates, translator, organisation, one)
        others.append({"address": texts["who"], **_more(texts)})
    return others


def _more(texts: dict[str, Value]) -> dict[str, Value]:
    """Return what a reply says about another message or cause."""
    return {name: texts[name] for name in ("opening", "headline", "steps", "again")} | {"like_first": False}


def _line(
    templates: Templates, translator: Translator, organisation: OrganisationProfile, facts: ReplyFacts
) -> dict[str, Value]:
    """Return recipients and headline of a message, without steps."""
    lead = leading(facts.bounces)
    values = _values(templates, translator, organisation, facts, lead)
    source = _text_of(templates, lead, translator.language)
    return {"address": values["who"], "headline": templates.block(source, "headline", values)}
