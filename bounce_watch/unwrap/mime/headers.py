"""Header fields: lenient reading of a block from untrusted mail (RFC 5322 section 2.2), access by name."""

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from itertools import islice
from quopri import decodestring

from bounce_watch.model.address import normalise
from bounce_watch.unwrap.mime.limits import MAX_HEADER, MAX_HEADER_BLOCK, MAX_HEADERS, header_end
from bounce_watch.unwrap.mime.text import decode, one_line

_FIELD = re.compile(r"^([!-9;-~]{1,80})[ \t]*:[ \t]*(.*)", re.MULTILINE)
_FOLD = re.compile(r"\n[ \t]+")
_ENCODED_WORD = re.compile(
    r"=\?([\w.:+-]{1,40})(?:\*[\w-]{0,20})?\?([bqBQ])\?([^?\s]{0,2000})\?=(?:[ \t]+(?==\?))?"
)
_IN_ANGLES = re.compile(r"<([^<>\s]{1,320}@[^<>\s]{1,255})>")
# An address begins where nothing of it stands before: the end of `x|id@` is another person's address.
_BARE = re.compile(
    r"(?<!\w['`|*\\])(?<![^\s<>()\[\]:;,\"'`|*\\])"
    r"[^\s<>()\[\]:;,\"'`|*\\]{1,320}(?:(?<=\w)['`|*](?=\w)[^\s<>()\[\]:;,\"'`|*\\]{1,320}){0,2}"
    r"@[A-Za-z0-9_\u0080-\uffff.-]{1,255}"
)
MAX_ADDRESSES = 100


class Headers:
    """The fields of one header block, by lower-case name, each with all its values in order."""

    __slots__ = ("_addresses", "_values")

    def __init__(self, fields: Iterable[tuple[str, Iterable[str]]]) -> None:
        values: dict[str, list[str]] = {}
        for name, more in fields:
            values.setdefault(name.lower(), []).extend(more)
        self._values = values
        self._addresses: dict[str, str | None] = {}

    @classmethod
    def from_mapping(cls, fields: Mapping[str, list[str]]) -> "Headers":
        """Return headers from names in any case; the lists are copied only if names differ in case alone."""
        headers = cls(())
        headers._values = {name.lower(): values for name, values in fields.items()}
        return headers if len(headers._values) == len(fields) else cls(fields.items())

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __bool__(self) -> bool:
        return bool(self._values)

    def among(self, names: Iterable[str]) -> list[str]:
        """Return those of some names that are present."""
        return [name for name in names if name in self._values]

    def names(self) -> Iterable[str]:
        return self._values.keys()

    def every(self, name: str) -> tuple[str, ...]:
        return tuple(self._values.get(name, ()))

    def first(self, name: str) -> str | None:
        """Return the first value of a field, None when it is absent."""
        values = self._values.get(name)
        return values[0] if values else None

    def line(self, name: str, limit: int = 1000) -> str | None:
        """Return the first value as one clean line, None when it is absent or blank."""
        value = self.first(name)
        return (one_line(value, limit) or None) if value else None

    def address(self, name: str) -> str | None:
        """Return the first address of a field, None when there is none."""
        if name not in self._addresses:
            self._addresses[name] = first_address(self.first(name))
        return self._addresses[name]


def read_headers(block: bytes) -> tuple[Headers, int]:
    """Return the headers at the start of a block, and the offset of what follows."""
    fields, end = read_fields(block)
    return Headers.from_mapping(fields), end


def read_fields(block: bytes) -> tuple[dict[str, list[str]], int]:
    """Return the values of each field at the start of a block, and the offset of what follows.

    Lines without a field are skipped (mbox `From ` lines, `>From`, notes); folded lines are joined.
    """
    end = min(_end_of(block), MAX_HEADER_BLOCK)
    lines = decode(block[:end]).replace("\r", "")
    unfolded = _FOLD.sub(" ", lines) if "\n " in lines or "\n\t" in lines else lines
    values: dict[str, list[str]] = {}
    for name, value in islice(_FIELD.findall(unfolded), MAX_HEADERS):
        values.setdefault(name.lower(), []).append(decode_words(value[:MAX_HEADER]))
    return values, end


def _end_of(block: bytes) -> int:
    """Return the offset behind the blank line that ends a header block, or the length of the block."""
    end = 0 if block[:2].startswith((b"\n", b"\r\n")) else header_end(block)
    blank_line = block[end : end + 2]
    return end + (2 if blank_line == b"\r\n" else len(blank_line[:1]))


def decode_words(value: str) -> str:
    """Decode the encoded words of a header value (RFC 2047); broken ones stay as written.

    Words side by side are joined before they are decoded: some programs cut them within a character.
    """
    if "=?" not in value:
        return value
    text, end = [], 0
    run, charset = b"", ""
    for word in _ENCODED_WORD.finditer(value):
        content = _content_of(word)
        if run and (content is None or word.start() > end or word[1].lower() != charset):
            text.append(decode(run, charset))
            run = b""
        text.append(value[end : word.start()])
        if content is None:
            text.append(word[0])
        else:
            run, charset = run + content, word[1].lower()
        end = word.end()
    return "".join((*text, decode(run, charset) if run else "", value[end:]))


def _content_of(word: re.Match[str]) -> bytes | None:
    _, encoding, text = word.groups()
    try:
        if encoding in "bB":
            return b64decode(text.encode("ascii") + b"===")
        return decodestring(text.encode("ascii"), header=True)
    except (ValueError, UnicodeError):
        return None


def first_address(value: str | None) -> str | None:
    """Return the first email address of a header value, None for null paths and mere names."""
    if not value or "@" not in value:
        return None
    text = value[:MAX_HEADER]
    if angled := _IN_ANGLES.search(text):
        return _plain(angled[1])
    bare = _BARE.search(text)
    return _plain(bare[0]) if bare else None


def addresses(value: str | None, limit: int = MAX_ADDRESSES) -> tuple[str, ...]:
    """Return the normalized addresses of a header value; bare words count only without angle brackets."""
    if not value or "@" not in value:
        return ()
    text = value[:MAX_HEADER]
    found = _IN_ANGLES.findall(text) or _BARE.findall(text)
    return tuple(dict.fromkeys(filter(None, map(_plain, found[:limit]))))


def _plain(address: str) -> str | None:
    return normalise(one_line(address).strip(".'\"")) or None
