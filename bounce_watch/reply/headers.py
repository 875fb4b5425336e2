"""Header values that leave the house, and the last look at the serialised header block (RFC 5322).

Python before 3.12.4 writes a line break that an encoded word carries (CVE-2024-6923): values are cleaned
before they are set, and the bytes are checked after they are written.
"""

import re

from bounce_watch.reply.errors import UnsafeMail
from bounce_watch.reply.safe_text import plain

LONGEST_VALUE = 200
LONGEST_LINE = 998

ALLOWED = frozenset(
    (
        *("from", "to", "subject", "date", "message-id", "in-reply-to", "references"),
        *("auto-submitted", "precedence", "x-auto-response-suppress", "x-bounce-watch-id"),
        "x-bounce-watch-kind",
        *("content-language", "mime-version", "content-type"),
    )
)
_REQUIRED = ALLOWED - {"in-reply-to"}
_MESSAGE_ID = re.compile(r"\A<[!-;=?-~]{1,250}>\Z")
_FIELD = re.compile(rb"\A([!-9;-~]{1,40}):(?: [ -~]*)?\Z")


def clean_header(value: str) -> str:
    """Return a value that is one line of at most 200 characters and holds no encoded word."""
    return plain(value.replace("=?", "= ?"), LONGEST_VALUE).replace("=?", "= ?")


def is_message_id(value: str | None) -> bool:
    """Tell whether a Message-ID is plain enough to be named in our headers (RFC 5322 section 3.6.4)."""
    return value is not None and _MESSAGE_ID.match(value) is not None and value.count("@") == 1


def check_mail(content: bytes) -> None:
    """Raise UnsafeMail unless the bytes are a mail as we write it: seven bits, CRLF, known fields, one To."""
    if content.replace(b"\r\n", b"").translate(None, b"\r\n\x00") != content.replace(b"\r\n", b""):
        raise UnsafeMail("a bare line end or a NUL stands in the mail")
    if not content.isascii():
        raise UnsafeMail("a byte above 127 stands in the mail")
    if any(len(line) > LONGEST_LINE for line in content.split(b"\r\n")):
        raise UnsafeMail(f"a line is longer than {LONGEST_LINE} bytes")
    _check_fields(_fields(content.partition(b"\r\n\r\n")[0]))


def _fields(head: bytes) -> list[str]:
    """Return the lower-case field names of a header block in order."""
    names = []
    for line in re.split(rb"\r\n(?![ \t])", head):
        match = _FIELD.match(line.replace(b"\r\n", b""))
        if match is None:
            raise UnsafeMail(f"a header line is malformed: {line[:60]!r}")
        names.append(match[1].decode("ascii").lower())
    return names


def _check_fields(names: list[str]) -> None:
    strangers = sorted(set(names) - ALLOWED)
    if strangers:
        raise UnsafeMail(f"header field {strangers[0]!r} is not one of ours")
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise UnsafeMail(f"header field {repeated[0]!r} stands there twice")
    missing = sorted(_REQUIRED - set(names))
    if missing:
        raise UnsafeMail(f"header field {missing[0]!r} is missing")
