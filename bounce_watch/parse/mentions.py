"""The addresses that a text speaks of, and how: which of them does it report on?

An address of the returned message's recipients counts wherever it stands, else one in a prominent place
(alone, first on its line, behind a label), else one in a sentence that says that something failed.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bounce_watch.model.address import normalise
from bounce_watch.parse.delivery_claims import says_failed, says_of_a_message
from bounce_watch.parse.delivery_words import CONTACTS, NOT_RECIPIENTS
from bounce_watch.parse.plain_text import ADDRESS
from bounce_watch.unwrap.mime.limits import MAX_RECIPIENTS

MAX_LINE = 1000
MAX_LEAD = 80
MAX_LABEL = 32

_ADDRESS = re.compile(ADDRESS)
# Texts without spaces between words glue theirs to an address.
_GLUED = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+")
_ASSIGNED = re.compile(r"(?:to|rcpt|recipient|user|address|e?mail|smtp)=", re.IGNORECASE)
_OPENING = r"\s*[<\[('\"“‘«]*(?:(?:smtp|mailto|rfc822)[:;]\s?)?"
_BULLET = re.compile(rf"[\s>*•·|#–—-]*(?:\d{{1,3}}[.)])?{_OPENING}", re.IGNORECASE)
_LABEL = re.compile(rf"[^\n:：]{{1,80}}[:：=]{_OPENING}", re.IGNORECASE)
_REPLY = re.compile(r"\s*(?:<<<\s?)?[245]\d\d[ -](?:[245]\.\d{1,3}\.\d{1,3}\s)?\s*<")
# Columns: `Recipient   user@example.com`.
_COLUMN = re.compile(r"\s*[^\s:：@]{1,30}(?: [^\s:：@]{1,30}){0,3}(?:\t| {2,})\s*[<\[('\"]*")
_COMMA = re.compile(r"[,;]")
_WORDS = re.compile(r"\w")
_SENDER = re.compile(
    rf"(?<!\w)(?:{'|'.join(map(re.escape, NOT_RECIPIENTS))})[\s:：=<\[('\"“]{{0,8}}\Z", re.IGNORECASE
)
_ROLE = re.compile(
    r"(?:postmaster|mailer-daemon|abuse|help-?desk|support|info-?desk|no-?reply|do-?not-?reply|hostmaster|webmaster)@",
    re.IGNORECASE,
)
_NAMED = re.compile(r"[\"']?[ \t]{1,4}<[^<>\s@]{1,320}@")
# `"Lee Roth" <lee@example.com>` alone on a line.
_MAILBOX = re.compile(
    r"[\s>*•-]{0,16}(?!\d)(?:\"[^\"\n]{1,120}\"|[^\s<>:\"@]{1,40}(?: [^\s<>:\"@]{1,40}){0,4})[ \t]{1,4}<"
)
_COLON = re.compile(r"[>\])'\"”’»]{0,3}(?:[ \t]{1,4}\([^()\n]{0,320}\))?[ \t]{0,4}:(?!\S)")
_ARROW = re.compile(r"[>\"']{0,2}[ \t]{0,4}(?:-+>|=+>|→)")
_PLAIN = re.compile(r"[\W\d_]+")
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)|[。！？]|\n[ \t]*\n")


class Mention(NamedTuple):
    """One address in a text. `shape` is what stands before it in its line, None within a sentence."""

    address: str
    start: int
    end: int
    before: str
    shape: str | None


def find_mentions(text: str) -> Iterator[Mention]:
    """Yield the addresses of a text in order, at most 500."""
    at, found = text.find("@"), 0
    while at >= 0 and found < MAX_RECIPIENTS:
        begin = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        line = text[begin : end if end >= 0 else len(text)][:MAX_LINE]
        for match in _ADDRESS.finditer(line):
            if mention := _mention(match, line, begin):
                found += 1
                yield mention
        at = text.find("@", end) if end >= 0 else -1


def _mention(match: re.Match[str], line: str, begin: int) -> Mention | None:
    if _NAMED.match(line, match.end()):
        return None  # an address as the display name of another
    bracketed = line[match.start() - 1 : match.start()] == "<"
    address = match[0] if bracketed else _unglued(match[0])
    if address is None:
        return None
    start = match.start() + match[0].find(address)
    before = line[:start]
    lead = _before_list(before) if "@" in before else before
    is_mailbox = _MAILBOX.fullmatch(line, 0, start) is not None and line[match.end() :].strip("> \t:") == ""
    shape = "" if is_mailbox else _shape_of(lead)
    return Mention(normalise(address), begin + start, begin + start + len(address), before, shape)


def _before_list(before: str) -> str:
    """Return what stands before the first of several listed addresses, all of it if it is no list."""
    first, *others = _COMMA.split(before)
    match = _ADDRESS.search(first)
    is_list = bool(others) and all("@" in one for one in others[:-1]) and not _WORDS.search(others[-1])
    return first[: match.start()] if match and is_list else before


def _shape_of(lead: str) -> str | None:
    """Return "" at the start of a line, "reply" behind a code, else the label; None within a sentence."""
    if not lead.strip(" \t<"):
        return ""
    if _REPLY.fullmatch(lead):
        return "reply"
    prominent = any(form.fullmatch(lead) is not None for form in (_BULLET, _LABEL, _COLUMN))
    return _PLAIN.sub("", lead).lower() if prominent else None


def _unglued(found: str) -> str | None:
    local, _, domain = found.rpartition("@")
    local, domain = _GLUED.split(local)[-1], _GLUED.split(domain)[0].rstrip(".!?")
    local = _ASSIGNED.sub("", local, count=1)
    return f"{local}@{domain}" if local and domain else None


def about(
    text: str, others: frozenset[str], recipients: frozenset[str], *, in_sentences: bool
) -> list[Mention]:
    """Return the mentions that a report is about; a mention within a sentence counts only `in_sentences`.

    `others` are the addresses of sender and reporter, `recipients` those of the returned message, in lower
    case.
    """
    found = find_meant(text, others, recipients)
    prominent = [one for one in found if one.shape is not None]
    named = [one for one in found if one.address.lower() in recipients]
    shapes = {one.shape for one in named if one.shape is not None}
    if named:
        heads = [one for one in prominent if _COLON.match(text, one.end)] if not shapes else []
        return heads or [one for one in found if one in named or _is_like(one, shapes)]
    if prominent or not in_sentences:
        return prominent
    return [one for one in found if says_of_a_message(text[slice(*sentence_around(text, one))])]


def find_meant(text: str, others: frozenset[str], recipients: frozenset[str]) -> list[Mention]:
    """Return the mentions of anybody but the sender, the reporter and those whom people may ask."""
    return [one for one in find_mentions(text) if _may_be_meant(one, text, others, recipients)]


def _is_like(one: Mention, shapes: set[str]) -> bool:
    """Tell whether an address stands as those of known recipients do, or behind a label of trouble."""
    return one.shape in shapes or (bool(one.shape) and says_failed(one.before))


def _may_be_meant(one: Mention, text: str, others: frozenset[str], recipients: frozenset[str]) -> bool:
    is_first = not one.before.strip("\t <[('\"")
    lead = text[max(0, one.start - MAX_LEAD) : one.start] if is_first else one.before[-MAX_LEAD:]
    if _SENDER.search(lead[-MAX_LABEL:]) or _ARROW.match(text, one.end):
        return False
    address = one.address.lower()
    if address in recipients or address in others:
        return address in recipients
    return not _ROLE.match(address) and not _asks(lead)


def _asks(lead: str) -> bool:
    """Tell whether the words before an address say that people may write to it."""
    tail = lead.rpartition("@")[2].rpartition("\n")[2].lower()
    return any(word in tail for word in CONTACTS)


def sentence_around(text: str, one: Mention) -> tuple[int, int]:
    """Return where the sentence around a mention begins and ends, at most 600 characters from it."""
    start = max(0, one.start - 600)
    ends = [match.end() for match in _SENTENCE_END.finditer(text, start, one.start)]
    after = _SENTENCE_END.search(text, one.end, one.end + 600)
    return ends[-1] if ends else start, after.start() if after else min(len(text), one.end + 600)
