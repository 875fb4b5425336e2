"""Damage as mail suffers it: by its structure of headers, parts, boundaries and encodings, not by the bit.

`mutations` is deterministic: the same seed gives the same messages on every machine.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence

Chance = random.Random
Mutation = Callable[[bytes, Chance], bytes]

_CHARSETS = (
    b"utf-8",
    b"utf-7",
    b"iso-2022-jp",
    b"gb18030",
    b"idna",
    b"punycode",
    b"undefined",
    b"x" * 300,
    b'"',
    b"\xff",
)
_ENCODINGS = (
    b"base64",
    b"quoted-printable",
    b"x-uuencode",
    b"8bit",
    b"7bit",
    b"binary",
    b"nonsense",
    b"\x00",
)
_TYPES = (
    b"multipart/report", b"multipart/mixed", b"message/rfc822", b"message/delivery-status", b"text/html",
    b"text/plain", b"message/global", b"application/octet-stream", b"", b"/", b"multipart/report; boundary",
)  # fmt: skip
_NOISE = (
    b"\x00",
    b"\xff\xfe",
    b"\x1b[2J",
    b"\r",
    b"\xe2\x80\xae",
    b"=?utf-8?b?/w==?=",
    b"-->",
    b"\xed\xa0\x80",
)
_CLOSING = re.compile(rb"(?m)^--[^\r\n]{1,200}--[ \t]*\r?$")
_BOUNDARY = re.compile(rb"(?m)^--[^\r\n]{1,200}\r?$")
_LARGEST = 400_000


def mutations(samples: Sequence[bytes], number: int, seed: int) -> Iterator[bytes]:
    """Yield so many damaged messages; each has suffered one to four times."""
    chance = random.Random(seed)
    for _ in range(number):
        message = chance.choice(samples)
        for _ in range(chance.randint(1, 4)):
            message = chance.choice(MUTATIONS)(message, chance)[:_LARGEST]
        yield message


def _split(message: bytes) -> tuple[list[bytes], bytes]:
    """Return the fields of the header, folded lines with them, and the rest from the blank line on."""
    end = re.search(rb"\r?\n\r?\n", message)
    header, rest = (message[: end.start()], message[end.start() :]) if end else (message, b"")
    fields: list[bytes] = []
    for line in header.split(b"\n"):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += b"\n" + line
        else:
            fields.append(line)
    return fields, rest


def drop_fields(message: bytes, chance: Chance) -> bytes:
    fields, rest = _split(message)
    return b"\n".join(field for field in fields if chance.random() > 0.3) + rest


def double_fields(message: bytes, chance: Chance) -> bytes:
    fields, rest = _split(message)
    return b"\n".join(field for field in fields for _ in range(chance.choice((1, 1, 2, 30)))) + rest


def reorder_fields(message: bytes, chance: Chance) -> bytes:
    fields, rest = _split(message)
    return b"\n".join(chance.sample(fields, len(fields))) + rest


def drop_header(message: bytes, chance: Chance) -> bytes:
    return _split(message)[1].lstrip(b"\r\n" if chance.random() < 0.5 else b"")


def break_boundary(message: bytes, chance: Chance) -> bytes:
    pattern = chance.choice((_CLOSING, _BOUNDARY))
    found = list(pattern.finditer(message))
    if not found:
        return message
    match = chance.choice(found)
    instead = chance.choice((b"", match[0][:-3], b" " + match[0], match[0] + b"x", match[0].upper(), b"--"))
    return message[: match.start()] + instead + message[match.end() :]


def repeat_boundary(message: bytes, chance: Chance) -> bytes:
    found = list(_BOUNDARY.finditer(message))
    if not found:
        return message
    match = chance.choice(found)
    return (
        message[: match.end()]
        + (b"\n" + match[0] + b"\n") * chance.choice((1, 5, 3000))
        + message[match.end() :]
    )


def shuffle_parts(message: bytes, chance: Chance) -> bytes:
    pieces = _BOUNDARY.split(message)
    lines = _BOUNDARY.findall(message)
    if len(pieces) < 3:
        return message
    head, *parts = pieces
    chance.shuffle(parts)
    return head + b"".join(line + part for line, part in zip(lines, parts, strict=True))


def swap_charset(message: bytes, chance: Chance) -> bytes:
    return re.sub(
        rb"(?i)charset=\"?[\w-]{1,40}\"?", lambda _: b"charset=" + chance.choice(_CHARSETS), message, count=3
    )


def swap_encoding(message: bytes, chance: Chance) -> bytes:
    name = b"Content-Transfer-Encoding: "
    swapped = re.sub(
        rb"(?i)content-transfer-encoding:[^\r\n]{0,80}", lambda _: name + chance.choice(_ENCODINGS), message
    )
    return swapped if swapped != message else name + chance.choice(_ENCODINGS) + b"\n" + message


def swap_type(message: bytes, chance: Chance) -> bytes:
    found = list(re.finditer(rb"(?i)content-type:[ \t]*([\w./+-]{1,80})", message))
    if not found:
        return message
    match = chance.choice(found)
    return message[: match.start(1)] + chance.choice(_TYPES) + message[match.end(1) :]


def insert_noise(message: bytes, chance: Chance) -> bytes:
    at, noise = chance.randrange(len(message) + 1), chance.choice(_NOISE)
    return message[:at] + noise * chance.choice((1, 1, 10, 5000)) + message[at:]


def insert_long_line(message: bytes, chance: Chance) -> bytes:
    lines = message.split(b"\n")
    filling = chance.choice(
        (b"x", b"a@b.example ", b"550 5.1.1 ", b"<", b" ", b'"', b"(", b": ", b"=?", b"#")
    )
    lines.insert(chance.randrange(len(lines)), (filling * 60_000)[: chance.choice((1_000, 20_000, 200_000))])
    return b"\n".join(lines)


def repeat_line(message: bytes, chance: Chance) -> bytes:
    lines = message.split(b"\n")
    at = chance.randrange(len(lines))
    return b"\n".join([*lines[:at], *[lines[at][:2000]] * chance.choice((2, 50, 3000)), *lines[at:]])


def drop_lines(message: bytes, chance: Chance) -> bytes:
    return b"\n".join(line for line in message.split(b"\n") if chance.random() > 0.1)


def truncate(message: bytes, chance: Chance) -> bytes:
    return message[: chance.randrange(len(message) + 1)]


def behead(message: bytes, chance: Chance) -> bytes:
    return message[chance.randrange(len(message) + 1) :]


def nest(message: bytes, chance: Chance) -> bytes:
    """Put the message into forwards, reports or itself, sometimes deeper than the reader's limit."""
    for level in range(chance.choice((1, 2, 7, 40))):
        mark = b"n%d" % level
        inner = chance.choice(
            (b"message/rfc822", b"multipart/mixed; boundary=" + mark, b"application/octet-stream; name=a.eml")
        )
        message = (
            b"From: a@b.example\nSubject: Fwd\nContent-Type: multipart/mixed; boundary=" + mark
            + b"\n\n--" + mark + b"\nContent-Type: " + inner + b"\n\n" + message[:20_000]
            + b"\n--" + mark + b"--\n"
        )  # fmt: skip
    return message


def change_line_ends(message: bytes, chance: Chance) -> bytes:
    plain = message.replace(b"\r\n", b"\n")
    return plain.replace(b"\n", chance.choice((b"\r", b"\r\n", b"\n\r", b"\r\r\n", b"\n\n", b"\x85")))


def quote(message: bytes, chance: Chance) -> bytes:
    return (
        b"From: a@b.example\nSubject: Fwd\n\n"
        + chance.choice((b"> ", b"| ", b">" * 50))
        + message.replace(b"\n", b"\n> ")
    )


def swap_digits(message: bytes, chance: Chance) -> bytes:
    return re.sub(
        rb"\d", lambda match: match[0] if chance.random() > 0.05 else b"%d" % chance.randrange(10), message
    )


MUTATIONS: tuple[Mutation, ...] = (
    drop_fields, double_fields, reorder_fields, drop_header, break_boundary, repeat_boundary, shuffle_parts,
    swap_charset, swap_encoding, swap_type, insert_noise, insert_long_line, repeat_line, drop_lines, truncate,
    behead, nest, change_line_ends, quote, swap_digits,
)  # fmt: skip
