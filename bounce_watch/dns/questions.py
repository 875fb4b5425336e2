"""Which questions to DNS can prove the cause of a bounce, and whether their answers do."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from bounce_watch.dns.dkim import SELECTORS, ask_dkim
from bounce_watch.dns.dmarc import ask_dmarc
from bounce_watch.dns.exchange import OUTBOUND_SUFFIX
from bounce_watch.dns.mx import ask_mx
from bounce_watch.dns.resolver import Resolver
from bounce_watch.dns.sender_address import ask_blocklist, ask_ptr
from bounce_watch.dns.spf import ask_spf
from bounce_watch.dns.tags import BadTags, read_tags
from bounce_watch.dns.transport import ask_mta_sts
from bounce_watch.model import Bounce, Cause, OriginalMessage
from bounce_watch.model.address import is_host_name
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question

_AUTHENTICATION = (Question.SPF, Question.DKIM, Question.DMARC)
QUESTIONS = {
    Cause.SPF_FAILED: (Question.SPF,),
    Cause.DKIM_FAILED: (Question.DKIM,),
    Cause.DMARC_FAILED: _AUTHENTICATION,
    Cause.AUTHENTICATION_FAILED: _AUTHENTICATION,
    Cause.DOMAIN_NOT_FOUND: (Question.MX,),
    Cause.DOMAIN_ACCEPTS_NO_MAIL: (Question.MX,),
    Cause.NETWORK_ERROR: (Question.MX,),
    Cause.MESSAGE_EXPIRED: (Question.MX,),
    Cause.TLS_FAILURE: (Question.MTA_STS,),
    Cause.MISSING_REVERSE_DNS: (Question.PTR,),
    Cause.BAD_HELO: (Question.PTR,),
    Cause.BLOCKED_REPUTATION: (Question.BLOCKLIST,),
}
"""By cause, what is asked."""

OF_OUR_DOMAINS = (Question.SPF, Question.DKIM, Question.DMARC, Question.MX, Question.MTA_STS)

_FIELD = re.compile(r"(?im)^(dkim-signature|received)[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)")
_HANDED_OVER = re.compile(
    r"(?s)\s{0,9}from\s{1,9}[A-Za-z0-9.-]{1,200}"
    + re.escape(OUTBOUND_SUFFIX)
    + r"\s[^\[(]{0,99}\([^)]{0,200}?\[?([0-9A-Fa-f:.]{3,45})\]?\)"
)
_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What to ask because of one bounce: `subject` is a domain, or an IP address for `ptr` and `blocklist`.

    `address` is the one that sent, None if it is not known. `selector` and `signed_by` are those of the
    returned mail's signature.
    """

    questions: tuple[Question, ...]
    subject: str
    address: str | None = None
    selector: str | None = None
    signed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the site knows: selectors, blocklists, the last sound SPF record, addresses.

    `ours` are surely its own, `seen` are those that remote servers named. `by_exchange` and `must_know` are
    those of `ask_spf`.
    """

    selectors: Sequence[str] = SELECTORS
    blocklists: Sequence[str] = ()
    ours: Sequence[str] = ()
    seen: Sequence[str] = ()
    earlier: str | None = None
    by_exchange: bool = True
    must_know: bool = False


def ask_for(bounce: Bounce, original: OriginalMessage, accepted: Collection[str]) -> Ask | None:
    """Return what to ask about a bounce, None for nothing: only about our domains and the recipient's."""
    questions = QUESTIONS.get(bounce.cause)
    if questions is None:
        return None
    address = _address(bounce, original)
    if questions[0] in (Question.PTR, Question.BLOCKLIST):
        return Ask(questions=questions, subject=address) if address else None
    if questions[0] in _AUTHENTICATION:
        domain = _our_domain(bounce, accepted)
        selector, signed_by = _signature(original, accepted)
        return (
            domain
            and Ask(
                questions=questions, subject=domain, address=address, selector=selector, signed_by=signed_by
            )
        ) or None
    domain = bounce.recipient_domain
    if domain is None or not is_host_name(domain) or is_ours(domain, accepted):
        return None
    return Ask(questions=questions, subject=domain)


def is_ours(domain: str, accepted: Collection[str]) -> bool:
    """Tell whether a domain is one of our accepted domains or below one."""
    return any(domain == one or domain.endswith(f".{one}") for one in accepted)


def _our_domain(bounce: Bounce, accepted: Collection[str]) -> str | None:
    named = (bounce.details.spf_domain, bounce.details.dmarc_domain) if bounce.details else ()
    found = (one for one in (*named, bounce.sender_domain) if one and is_host_name(one))
    return next((one for one in found if is_ours(one, accepted)), None)


def _address(bounce: Bounce, original: OriginalMessage) -> str | None:
    """Return the address in the refusal, else the one by which Exchange Online handed the mail over."""
    details = bounce.details
    named = details and (details.spf_ip or details.blocked_ip)
    received = (
        found[1]
        for name, value in _FIELD.findall(original.signed_headers or "")
        if name.lower() == "received" and (found := _HANDED_OVER.match(value))
    )
    return next((one for one in (named, *received) if one and _is_address(one)), None)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _signature(original: OriginalMessage, accepted: Collection[str]) -> tuple[str | None, str | None]:
    """Return selector and domain of our signature on the returned mail."""
    for name, value in _FIELD.findall(original.signed_headers or ""):
        try:
            tags = read_tags(re.sub(r"\r?\n[ \t]+", " ", value)) if name.lower() == "dkim-signature" else {}
        except BadTags:
            continue
        selector, domain = tags.get("s", ""), tags.get("d", "").lower()
        if _SELECTOR.fullmatch(selector) and is_ours(domain, accepted):
            return selector.lower(), domain
    return None, None


def answers(names: Resolver, ask: Ask, known: Known, now: datetime) -> Iterator[DnsFinding]:
    """Ask DNS, question by question; each may take 75 questions."""
    for question in ask.questions:
        names.begin()
        yield from _answers(names, question, ask, known, now)


def _answers(
    names: Resolver, question: Question, ask: Ask, known: Known, now: datetime
) -> Iterator[DnsFinding]:
    domain = ask.subject
    match question:
        case Question.SPF:
            yield ask_spf(
                names,
                domain,
                now,
                addresses=(ask.address,) if ask.address else (),
                ours=known.ours,
                seen=known.seen,
                earlier=known.earlier,
                by_exchange=known.by_exchange,
                must_know=known.must_know,
            )
        case Question.DKIM:
            signed_by = ask.signed_by or domain
            for selector in (ask.selector,) if ask.selector else known.selectors:
                yield ask_dkim(names, signed_by, selector, now)
        case Question.DMARC:
            yield ask_dmarc(names, domain, now, signed_by=ask.signed_by)
        case Question.MX:
            yield ask_mx(names, domain, now)
        case Question.MTA_STS:
            yield ask_mta_sts(names, domain, now)
        case Question.PTR:
            yield ask_ptr(names, ask.address or domain, now)
        case Question.BLOCKLIST:
            for blocklist in known.blocklists:
                yield ask_blocklist(names, blocklist, ask.address or domain, now)


def is_proven(findings: Sequence[DnsFinding]) -> bool:
    """Tell whether the answers prove a cause. For DKIM one sound key is enough: any may have signed."""
    keys = [one for one in findings if one.question is Question.DKIM]
    has_key = any(one.verdict in (DnsVerdict.OK, DnsVerdict.UNASKED) or not one.proves for one in keys)
    rest = (one for one in findings if one.question is not Question.DKIM)
    return any(one.proves for one in rest) or bool(keys and not has_key)
