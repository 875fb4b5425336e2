"""Read SMTP replies: reply code (RFC 5321), enhanced status (RFC 3463), the server's words, wrapped replies.

This is the only reader of replies: the formats take the codes from it, the judge the words too.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from bounce_watch.model import RecipientFields

MAX_TEXT = 2_000
"""Characters of a text that are read."""
MAX_CACHED = 1024
"""Replies that are kept as read: one judgement asks several times, and servers repeat their replies."""

_AFTER_CLASS = r"\.(?:[0-7]|1[0-9])\.\d{1,3}"
_STATUS = rf"[245]{_AFTER_CLASS}"
# A look-behind stands after the first digit: a pattern that begins with one is tried at every letter.
_PAIR = re.compile(
    rf"([245](?<![\d.].)\d\d)(?:-|:?\s{{1,8}}|[ -]{{0,2}}[#(\[<'\"]{{1,2}})({_STATUS})(?!\.?\d)"
)
_STATUS_ALONE = re.compile(rf"([245](?<![\d.\w@/-].){_AFTER_CLASS})(?!\.?\d|[\w@-])")
_CODE_AT_START = re.compile(r"\s{0,20}[<\"'(\[]?([245]\d\d)(?=[ \-:;,.'\"<)\]>]|$)")
_CODE = re.compile(r"[45][0-5]\d(?=[ \-:;,.'\"<)\]>#]|$)", re.MULTILINE)
_INTRODUCTION = re.compile(
    r"(?:said|says|responded|response|replied|reply|returned|rejected|error|errors?:|code|status|smtp[;:]?|with|was|>>>|<<<|:|\],)"
    r"[\s:;=('\"\[<]{1,24}\Z",
    re.IGNORECASE,
)
_MAX_INTRODUCTION = 34
_SET_OFF = re.compile(r"(?:[(\[]|[-;.] |^[ \t]{0,8}[^\W\d_]{1,20}[ \t]{1,8})\Z", re.MULTILINE)
# `full (552 quota)`, `Reason 550 unknown`, `user@example.com - 550 unknown`: usual codes before a word.
_USUAL = re.compile(r"(?:421|45[0-5]|50[0-4]|52[1-5]|53[0-8]|55[0-9]|57[0-9])(?:\)| [^\W\d_])")
_LINE_HEAD = re.compile(r"[ \t]{0,20}(?:<<<[ \t]?)?")
_AS_NUMBER = re.compile(r"AS(?<!\w..) ?\(?(\d{3,12})\b")
_SERVER_SPEAKS = re.compile(r"(?:: ?|address error )([245]\d\d[ -])")
# IronPort writes `5.1.0 - Unknown address error 550-'…'` whatever the server says.
_BEFORE_SPEECH = ("5.1.0 - Unknown", "said", "was", "TO", "DATA", ">", "]", ")", *"0123456789")
# A server that asked ours about the sender quotes our answer: its own words before that say what it refused.
_ABOUT_SENDER = re.compile(r"\bsender (?:address rejected|verif)|verif\w{1,8} (?:the )?sender", re.IGNORECASE)
# Long replies repeat their codes at every line: `550-5.7.1 low reputation of the 550-5.7.1 sending IP`.
_LINE_CODE = re.compile(r"[245](?<!\w.)(?:\d\d[- ]'?[#(]?[245]\.\d{1,3}\.\d{1,3}\b|\d\d-)")


class Codes(NamedTuple):
    """The codes of one reply. Absent values are None."""

    reply_code: str | None = None
    status: str | None = None


NO_CODES = Codes()


class Words(NamedTuple):
    """The words of one reply, as one line without line codes and addresses.

    `words` begins where the server speaks; `text` also holds what the reporter says around it.
    `as_number` is the number of Microsoft's `AS(...)`.
    """

    words: str
    text: str
    as_number: str | None


class SmtpReply(NamedTuple):
    """What one server replied: its codes, and the fields of `Words`."""

    reply_code: str | None
    status: str | None
    words: str
    text: str
    as_number: str | None


class RecipientReplies(NamedTuple):
    """What the servers replied about one recipient.

    `hops` holds the reporter's own reply first, then each reply that it wraps. `whole` has the codes of the
    reporter and the words of all hops.
    """

    hops: tuple[SmtpReply, ...]
    whole: SmtpReply

    @property
    def outer(self) -> SmtpReply:
        """The reporter's own reply."""
        return self.hops[0]

    @property
    def inner(self) -> SmtpReply | None:
        """The reply of the server that refused, which is the last hop. None if nothing is wrapped."""
        return self.hops[-1] if len(self.hops) > 1 else None


def replies_of(fields: RecipientFields) -> RecipientReplies:
    """Read what a report says about one recipient."""
    return read_replies(
        fields.diagnostic_code or "",
        Codes(fields.reply_code, fields.status),
        Codes(fields.remote_reply_code, fields.remote_status),
    )


def read_replies(text: str, own: Codes = NO_CODES, remote: Codes = NO_CODES) -> RecipientReplies:
    """Read a diagnostic text with all replies that it wraps (`550 5.7.350 ... -> 554 5.7.1 ...`).

    `own` and `remote` are the codes that the report states for the first and the last hop.
    """
    first, *wrapped = split_hops(text)
    outer = read_reply(first, own)
    if wrapped:
        *between, last = wrapped
        hops = (outer, *map(read_reply, between), read_reply(last, remote))
        whole = SmtpReply(outer.reply_code, outer.status, *read_words(text[:MAX_TEXT]))
        return RecipientReplies(hops, whole)
    return RecipientReplies((outer, read_reply(first, remote)) if any(remote) else (outer,), outer)


def split_hops(text: str) -> list[str]:
    """Return the replies in a text, outermost first. Exchange Online writes an arrow before what it wraps.

    An arrow counts only between codes: a blocklist writes `127.0.0.1 -> Query Refused`, a session log
    `--> RCPT To:`.
    """
    if "->" not in text:
        return [text[:MAX_TEXT]]
    first, *others = text[:MAX_TEXT].split("->")
    hops = [first]
    for piece in others:
        if any(find_codes(hops[-1])) and any(find_codes(piece)):
            hops.append(piece)
        else:
            hops[-1] = f"{hops[-1]}->{piece}"
    return hops


def read_reply(text: str, stated: Codes = NO_CODES) -> SmtpReply:
    """Read one server's reply; codes that the report states win over those in the text."""
    reply_code, status = stated
    if reply_code is None or is_vague(status):
        found = find_codes(text)
        reply_code, status = reply_code or found.reply_code, closer_status(status, found.status)
    return SmtpReply(reply_code, status, *read_words(text))


def closer_status(stated: str | None, found: str | None) -> str | None:
    """Return the stated status, or the one in the text if the stated one is vague.

    Exim writes 5.0.0 whatever the reply said.
    """
    return (found or stated) if is_vague(stated) else stated


def is_vague(status: str | None) -> bool:
    """Tell whether a status says nothing but its class (`5.0.0`)."""
    return status is None or status.endswith(".0.0")


@lru_cache(MAX_CACHED)
def read_words(text: str) -> Words:
    """Return the words of one reply."""
    line = " ".join(text.split())
    number = _AS_NUMBER.search(line)
    words = _words_of_the_server(line)
    plain = _without_codes(line)
    return Words(
        words=plain if words is line else _without_codes(words),
        text=plain,
        as_number=number[1] if number else None,
    )


def find_codes(text: str) -> Codes:
    """Return the first pair of reply code and status, else what stands alone of either.

    A pair with a status of x.0.0 takes a closer status from the rest of the text.
    """
    bounded = text[:MAX_TEXT].replace("\xa0", " ")
    if match := _PAIR.search(bounded):
        status = _find_status(bounded) if is_vague(match[2]) else None
        return Codes(match[1], match[2] if is_vague(status) else status)
    at_start = _CODE_AT_START.match(bounded)
    return Codes(at_start[1] if at_start else _find_code(bounded), _find_status(bounded))


def _find_status(text: str) -> str | None:
    """Return the first status that says more than its class, else the first one."""
    found: list[str] = _STATUS_ALONE.findall(text)
    return next((status for status in found if not is_vague(status)), found[0] if found else None)


def _find_code(text: str) -> str | None:
    """Return the reply code that opens a line, else the first one after a word such as `said`."""
    found = list(_CODE.finditer(text))
    opening = next((match for match in found if _opens_line(text, match)), None)
    told = opening or next((match for match in found if _is_introduced(text, match.start())), None)
    told = told or next((match for match in found if _is_set_off(text, match.start())), None)
    return told[0] if told else None


def _opens_line(text: str, code: re.Match[str]) -> bool:
    start, end = code.span()
    if text[end : end + 1] not in (" ", "-") or not text[end + 1 : end + 2].strip():
        return False
    return _LINE_HEAD.fullmatch(text, text.rfind("\n", 0, start) + 1, start) is not None


def _is_introduced(text: str, start: int) -> bool:
    return _INTRODUCTION.search(text[max(0, start - _MAX_INTRODUCTION) : start]) is not None


def _is_set_off(text: str, start: int) -> bool:
    return (
        _USUAL.match(text, start) is not None
        and _SET_OFF.search(text[max(0, start - 40) : start]) is not None
    )


def _words_of_the_server(line: str) -> str:
    """Cut what the reporter says before the reply: `Google tried to deliver ... returned was: 550 ...`."""
    for found in _SERVER_SPEAKS.finditer(line):
        before = line[: found.start()]
        if before.removesuffix(" ").endswith(_BEFORE_SPEECH):
            return before if _ABOUT_SENDER.search(before) else line[found.start(1) :]
    return line


def _without_codes(line: str) -> str:
    """Drop line codes and addresses: a name in an address must not decide why mail was refused."""
    words = _LINE_CODE.sub(" ", line).split()
    return " ".join([word for word in words if "@" not in word] if "@" in line else words)
