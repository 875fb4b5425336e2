"""Limits that hold before a message is parsed: its size, lines that could be boundaries, header blocks."""

import re

MAX_MESSAGE = 2 * 1024 * 1024
MAX_HEADER_BLOCK = 256 * 1024
MAX_HEADER = 16 * 1024
MAX_HEADERS = 1000
MAX_DASHED_LINES = 2000
MAX_DEPTH = 20
MAX_PARTS = 200
MAX_WORDS = 100
MAX_WORDY_LINE = 2000
"""Bytes of a line in which more than MAX_WORDS encoded words are decoded (RFC 5322 allows 998)."""
MAX_TEXT = 64 * 1024
MAX_RECIPIENTS = 500
MAX_ENVELOPES = 5

_BEYOND = re.compile(rb"^([^\n]{%d})([^\n]+)" % MAX_WORDY_LINE, re.MULTILINE)
_BLOCK_END = re.compile(rb"\n\r?\n|\n--")
_ENCODING = re.compile(
    rb"^content-transfer-encoding[ \t]*:[ \t]*(?!7bit|8bit|binary)", re.IGNORECASE | re.MULTILINE
)
_TYPE = re.compile(rb"^content-type[ \t]*:([^\n]*)", re.IGNORECASE | re.MULTILINE)


def bounded(raw: bytes) -> bytes:
    """Return the part of a message that may be parsed; everything beyond a limit is cut off.

    The 2,001st line that begins with `--` ends the message, because 50,000 parts cost seconds.
    """
    message = raw[:MAX_MESSAGE]
    if b"\n" not in message:
        message = message.replace(b"\r", b"\n")  # classic Mac files
    message = message.lstrip(b"\r\n")
    if len(message) > MAX_DASHED_LINES * len(b"\n--") and message.count(b"\n--") > MAX_DASHED_LINES:
        message = _up_to_dashed_line(message, MAX_DASHED_LINES)
    return _with_bounded_words(_with_bounded_header(message))


def _with_bounded_words(message: bytes) -> bytes:
    """Cut long lines of encoded words, wherever a header may be: they cost the square of their length."""
    if max(message.count(b"=?"), message.count(b"?=")) <= MAX_WORDS:
        return message
    return _BEYOND.sub(_cut_words, message)


def _cut_words(line: re.Match[bytes]) -> bytes:
    start, rest = line.groups()
    return line[0] if rest.count(b"?") <= MAX_WORDS else start + rest[:MAX_HEADER].replace(b"?", b"_")


def has_encoded_message(message: bytes) -> bool:
    """Tell whether an attached message may be in base64 or quoted-printable, which hides its headers."""
    return _ENCODING.search(message) is not None and any(map(_is_encoded, _BLOCK_END.split(message)))


def _is_encoded(block: bytes) -> bool:
    """Tell whether lines up to a blank one may be the header of an encoded message; in a digest any may."""
    if _ENCODING.search(block) is None:
        return False
    kinds = _TYPE.findall(block)
    return not kinds or any(b"rfc822" in kind.lower() or b"=?" in kind for kind in kinds)


def _up_to_dashed_line(message: bytes, limit: int) -> bytes:
    position = 0
    for _ in range(limit):
        position = message.index(b"\n--", position) + 1
    return message[: message.find(b"\n--", position)]


def header_end(message: bytes) -> int:
    """Return where the header block ends, behind its last line break; without an end, the length."""
    plain = message.find(b"\n\n")
    other = message.find(b"\n\r\n", 0, plain + 1 if plain >= 0 else len(message))
    end = other if other >= 0 else plain
    return end + 1 if end >= 0 else len(message)


def _with_bounded_header(message: bytes) -> bytes:
    end = header_end(message)
    if end <= MAX_HEADER or (end <= MAX_HEADER_BLOCK and not _is_excessive(message[:end])):
        return message
    return _cut_header(message[:end]) + message[end:]


def _is_excessive(block: bytes) -> bool:
    longest = max(map(len, block.split(b"\n")), default=0)
    return longest > MAX_HEADER or block.count(b"\n") > MAX_HEADERS


def _cut_header(block: bytes) -> bytes:
    """Return a header block without the fields and bytes beyond the limits."""
    kept: list[bytes] = []
    fields, field_size = 0, 0
    for line in block[:MAX_HEADER_BLOCK].split(b"\n"):
        folded = line[:1] in (b" ", b"\t")
        fields += not folded
        field_size = field_size + len(line) if folded else len(line)
        if fields > MAX_HEADERS:
            break
        if folded and field_size > MAX_HEADER:
            continue
        kept.append(line[:MAX_HEADER])
    return b"\n".join(kept).rstrip(b"\r\n") + b"\n"
