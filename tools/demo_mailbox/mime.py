"""MIME by hand (RFC 2045, RFC 2047): the same bytes on every version of Python."""

import quopri
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime

Header = tuple[str, str]
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def stamp(moment: datetime) -> str:
    """Format a time for a header (RFC 5322 section 3.3), in UTC as Exchange does."""
    utc = moment.astimezone(UTC)
    return f"{_DAYS[utc.weekday()]}, {utc.day} {_MONTHS[utc.month - 1]} {utc.year} {utc:%H:%M:%S} +0000"


def encoded(text: str) -> str:
    """Return text as it may stand in a header: encoded words of at most 40 octets where it is not ASCII."""
    if text.isascii():
        return text
    words, chunk = [], b""
    for character in text:
        octets = character.encode("utf-8")
        if len(chunk) + len(octets) > 40:
            words.append(chunk)
            chunk = b""
        chunk += octets
    return "\r\n ".join(f"=?utf-8?B?{b64encode(word).decode('ascii')}?=" for word in (*words, chunk))


def mailbox(name: str, address: str) -> str:
    return f"{encoded(name)} <{address}>"


def header_block(headers: Sequence[Header]) -> str:
    """Return header lines. A header without a value keeps its colon, as Exchange's empty markers do."""
    return "".join(f"{name}: {value}".rstrip(" ") + "\r\n" for name, value in headers)


def text_part(subtype: str, text: str) -> str:
    """Return a text part in UTF-8, quoted-printable."""
    body = quopri.encodestring(text.replace("\r\n", "\n").encode("utf-8")).decode("ascii")
    headers = header_block(
        [
            ("Content-Type", f'text/{subtype}; charset="utf-8"'),
            ("Content-Transfer-Encoding", "quoted-printable"),
        ]
    )
    return headers + "\r\n" + body.replace("\n", "\r\n")


def part(content_type: str, content: str, *more: Header) -> str:
    return header_block([("Content-Type", content_type), *more]) + "\r\n" + content


def joined(boundary: str, parts: Sequence[str]) -> str:
    """Return the body of a multipart."""
    return "".join(f"--{boundary}\r\n{one}\r\n" for one in parts) + f"--{boundary}--\r\n"


def multipart(subtype: str, boundary: str, parts: Sequence[str]) -> str:
    """Return a multipart as a part of another; `subtype` may carry parameters after a semicolon."""
    return part(f'multipart/{subtype};\r\n\tboundary="{boundary}"', joined(boundary, parts))


def attached(message: str, name: str) -> str:
    """Return a whole message as an attachment."""
    return part(
        "message/rfc822", message, ("Content-Disposition", f'attachment; filename="{encoded(name)}.eml"')
    )
