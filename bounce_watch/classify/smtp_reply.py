"""Take a server's reply apart: basic code, enhanced status (RFC 2034), AS number, wrapped inner reply."""

import re
from functools import lru_cache
from typing import NamedTuple

MAX_TEXT = 2_000
"""Characters of a reply that are looked at."""
MAX_HEARD = 1024
"""Replies of which what they hold is kept."""

# A look back stands behind the first digit: a pattern that begins with one is tried at every letter.
_STATUS = re.compile(r"[245](?<![\d.].)\.\d{1,3}\.\d{1,3}(?![\d.]\d)(?!\d)")
_REPLY_CODE = re.compile(r"[245](?<![\w.@-].)\d\d(?=[ \-]|$)")
_AS_NUMBER = re.compile(r"AS(?<!\w..) ?\(?(\d{3,12})\b")
_SPEECH = re.compile(r": ?([245]\d\d[ -])")
_SPEAKERS = ("said", "was", "TO", "DATA", ">", "]", ")", *"0123456789")
# Long replies repeat their codes at every line: `550-5.7.1 low reputation of the 550-5.7.1 sending IP`.
_LINE_CODE = re.compile(r"[245](?<!\w.)(?:\d\d[- ]'?[#(]?[245]\.\d{1,3}\.\d{1,3}\b|\d\d-)")


class SmtpReply(NamedTuple):
    """What one server said, without line codes and addresses, ready to be matched.

    `words` begins where the server speaks, `text` holds also what the reporter says around it.
    """

    words: str
    text: str
    status: str | None
    reply_code: str | None
    as_number: str | None


class _Heard(NamedTuple):
    """What one text holds, whatever the report states beside it."""

    words: str
    text: str
    statuses: tuple[str, ...]
    reply_code: str | None
    as_number: str | None


def read_reply(text: str | None, status: str | None = None, reply_code: str | None = None) -> SmtpReply:
    """Read one reply. What the report states wins over the text, but x.0.0 gives way to a closer code.

    Exim writes 5.0.0 whatever the reply said.
    """
    heard = _hear((text or "")[:MAX_TEXT])
    return SmtpReply(
        words=heard.words,
        text=heard.text,
        status=_closer(status, heard.statuses),
        reply_code=reply_code or heard.reply_code,
        as_number=heard.as_number,
    )


@lru_cache(MAX_HEARD)
def _hear(text: str) -> _Heard:
    """Take a text apart. Kept: one judgement asks several times, and servers repeat themselves."""
    line = " ".join(text.split())
    number = _AS_NUMBER.search(line)
    code = _REPLY_CODE.search(line)
    words = _words_of_the_server(line)
    plain = _plain(line)
    return _Heard(
        words=plain if words is line else _plain(words),
        text=plain,
        statuses=tuple(_STATUS.findall(line)),
        reply_code=code[0] if code else None,
        as_number=number[1] if number else None,
    )


def split_wrapper(text: str | None) -> tuple[str, str | None]:
    """Return the wrapper and the reply after its last arrow; Exchange Online writes `outer -> inner`."""
    outer, arrow, inner = (text or "")[:MAX_TEXT].rpartition("->")
    if not arrow or not inner.strip() or not outer.strip():
        return (text or "")[:MAX_TEXT], None
    return outer.strip(), inner.strip()


def _words_of_the_server(line: str) -> str:
    """Cut what the reporter says before the reply: `Google tried to deliver ... returned was: 550 ...`."""
    for found in _SPEECH.finditer(line):
        if line[: found.start()].removesuffix(" ").endswith(_SPEAKERS):
            return line[found.start(1) :]
    return line


def _plain(line: str) -> str:
    """Drop line codes and addresses: nobody's name may decide why mail was refused."""
    words = _LINE_CODE.sub(" ", line).split()
    return " ".join([word for word in words if "@" not in word] if "@" in line else words)


def _closer(status: str | None, heard: tuple[str, ...]) -> str | None:
    if status is not None and not status.endswith(".0.0"):
        return status
    telling = (found for found in heard if not found.endswith(".0.0"))
    return next(telling, None) or status or next(iter(heard), None)
