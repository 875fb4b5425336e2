"""Take a server's reply apart: basic code, enhanced status (RFC 2034), AS number, wrapped inner reply."""

import re
from dataclasses import dataclass

MAX_TEXT = 2_000
"""Characters of a reply that are looked at."""

_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]\d)(?!\d)")
_REPLY_CODE = re.compile(r"(?<![\w.@-])[245]\d\d(?=[ \-]|$)")
_AS_NUMBER = re.compile(r"\bAS ?\(?(\d{3,12})\b")
_SPEECH = re.compile(r"(?:said|was|TO|DATA|[>\])\d]) ?: ?([245]\d\d[ -])")
# Long replies repeat their codes at every line: `550-5.7.1 low reputation of the 550-5.7.1 sending IP`.
_LINE_CODE = re.compile(r"\b[245]\d\d[- ]'?[#(]?[245]\.\d{1,3}\.\d{1,3}\b|\b[245]\d\d-")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpReply:
    """What one server said, without line codes and addresses, ready to be matched.

    `words` begins where the server speaks, `text` holds also what the reporter says around it.
    """

    words: str
    text: str
    status: str | None
    reply_code: str | None
    as_number: str | None


def read_reply(text: str | None, status: str | None = None, reply_code: str | None = None) -> SmtpReply:
    """Read one reply. What the report states wins over the text, but x.0.0 gives way to a closer code.

    Exim writes 5.0.0 whatever the reply said.
    """
    line = " ".join((text or "")[:MAX_TEXT].split())
    found = _AS_NUMBER.search(line)
    return SmtpReply(
        words=_plain(_words_of_the_server(line)),
        text=_plain(line),
        status=_closer(status, line),
        reply_code=reply_code or _first(_REPLY_CODE, line),
        as_number=found[1] if found else None,
    )


def split_wrapper(text: str | None) -> tuple[str, str | None]:
    """Return the wrapper and the reply after its last arrow; Exchange Online writes `outer -> inner`."""
    outer, arrow, inner = (text or "")[:MAX_TEXT].rpartition("->")
    if not arrow or not inner.strip() or not outer.strip():
        return (text or "")[:MAX_TEXT], None
    return outer.strip(), inner.strip()


def _words_of_the_server(line: str) -> str:
    """Cut what the reporter says before the reply: `Google tried to deliver ... returned was: 550 ...`."""
    found = _SPEECH.search(line)
    return line[found.start(1) :] if found else line


def _plain(line: str) -> str:
    """Drop line codes and addresses: nobody's name may decide why mail was refused."""
    words = (word for word in _LINE_CODE.sub(" ", line).split() if "@" not in word)
    return " ".join(words)


def _closer(status: str | None, line: str) -> str | None:
    if status is not None and not status.endswith(".0.0"):
        return status
    telling = (found for found in _STATUS.findall(line) if not found.endswith(".0.0"))
    return next(telling, None) or status or _first(_STATUS, line)


def _first(pattern: re.Pattern[str], line: str) -> str | None:
    found = pattern.search(line)
    return found[0] if found else None
