"""IMAP responses as values (RFC 3501, 2342)."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Items = dict[bytes, object]
"""The items of one FETCH response, by their names as the server writes them."""

_ITEM = rb'(?:UID \d{1,10}|RFC822\.SIZE \d{1,20}|INTERNALDATE "[^"\\]{1,40}")'
_PLAIN = re.compile(rb"\d{1,10} \(" + _ITEM + rb"(?: " + _ITEM + rb")*\)")
_TOKEN = re.compile(
    rb'(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<atom>[^\s()"]+)|(?P<odd>\S)', re.DOTALL
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_COUNT = re.compile(rb"~?\{[0-9]{1,10}\+?\}$")
_NUMBER = re.compile(rb"[0-9]{1,20}")
_NAMES = (
    *(b"UID", b"FLAGS", b"BODY", b"RFC822", b"INTERNALDATE", b"ENVELOPE", b"MODSEQ", b"BINARY", b"X-"),
    *(b"EMAILID", b"THREADID", b"SAVEDATE", b"PREVIEW", b"ANNOTATION"),
)
"""How items begin; something else is the rest of a content that is longer than announced."""
_MAX_NESTED = 40
"""Maximum depth of brackets: each part of a message has several."""
_VALUES = re.compile(rb'(UID|RFC822\.SIZE|INTERNALDATE) (?:(\d+)|"([^"]+)")')

_STATUS_ITEMS = re.compile(rb"\(([^()]*)\)\s*$")
_COUNTED = re.compile(rb"(MESSAGES|UIDNEXT) (\d{1,10})(?!\d)", re.IGNORECASE)
_COPIED = re.compile(rb"\d+ (\d{1,10}(?::\d{1,10})?(?:,\d{1,10}(?::\d{1,10})?)*) [\d:,]+")
_MAX_COPIED = 10_000


class UnreadableResponse(Exception):
    """A response is not IMAP, or nested too deeply."""


def items_by_uid(lines: Iterable[Any]) -> dict[int, Items]:
    """Return the items of each message, by the UID in the very response that holds them.

    Never by sequence number: it means another message as soon as one before it is expunged, and unsolicited
    responses come at any time. Where two responses differ in a content, it counts as not sent.
    Raises UnreadableResponse.
    """
    lines = [line for line in lines if line is not None]
    found: dict[int, Items] = {}
    for entry in read_listing(lines) or map(_read_items, split_responses(lines)):
        if isinstance(uid := entry.get(b"UID"), int):
            known = found.setdefault(uid, {})
            unclear = [name for name in entry if known.get(name, entry[name]) != entry[name]]
            known |= entry
            known |= dict.fromkeys(name for name in unclear if name.startswith(b"BODY["))
    return found


def _read_items(response: Sequence[Any]) -> Items:
    match read_lists(response):
        case (_, tuple(items)) if len(items) % 2 == 0:
            named = zip(items[::2], items[1::2], strict=True)
            pairs = [_item(name.upper(), value) for name, value in named if isinstance(name, bytes)]
            found = dict(pairs)
            # A content that swallows the next response is followed by another content.
            if all(name.startswith(_NAMES) and found[name] == value for name, value in pairs):
                return found
    raise UnreadableResponse


def _item(name: bytes, value: object) -> tuple[bytes, object]:
    if name in {b"UID", b"RFC822.SIZE"} and isinstance(value, bytes) and _NUMBER.fullmatch(value):
        return name, int(value)
    return name, value


def split_responses(lines: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the lines of one FETCH response after another.

    imaplib returns a line that ends in a literal as a pair; the last line of a response is never a pair.
    """
    response: list[Any] = []
    for line in lines:
        response.append(line)
        if isinstance(line, bytes):
            yield response
            response = []


def read_lists(response: Sequence[Any]) -> tuple[Any, ...]:
    """Turn a response into nested tuples of bytes, with None for NIL. Raises UnreadableResponse.

    imapclient's own reader is slow (letter by letter) and has no limit of depth.
    """
    open_lists: list[list[Any]] = [[]]
    for line in response:
        text, literal = (line, None) if isinstance(line, bytes) else (_COUNT.sub(b"", line[0]), line[1])
        for match in _TOKEN.finditer(text):
            _take(match, open_lists)
        if literal is not None:
            open_lists[-1].append(literal)
    if len(open_lists) != 1:
        raise UnreadableResponse
    return tuple(open_lists[0])


def _take(match: re.Match[bytes], open_lists: list[list[Any]]) -> None:
    match match.lastgroup:
        case "open" if len(open_lists) <= _MAX_NESTED:
            open_lists.append([])
        case "close" if len(open_lists) > 1:
            done = tuple(open_lists.pop())
            open_lists[-1].append(done)
        case "quoted":
            open_lists[-1].append(_ESCAPE.sub(rb"\1", match["quoted"]))
        case "atom":
            open_lists[-1].append(None if match["atom"].upper() == b"NIL" else match["atom"])
        case _:
            raise UnreadableResponse


def read_listing(lines: Iterable[object]) -> list[Items] | None:
    """Read responses that hold only UID, size and date; None if any holds more.

    imapclient's parser takes twenty times as long, which matters when a million messages are listed.
    Dates stay as the server wrote them.
    """
    found: list[Items] = []
    for line in lines:
        if not isinstance(line, bytes) or not _PLAIN.fullmatch(line):
            return None
        values = _VALUES.findall(line)
        found.append({name: int(digits) if digits else date for name, digits, date in values})
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A selected folder. `uid_next` is 0 if the server does not tell it."""

    validity: int
    uid_next: int
    exists: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a folder holds; a number is 0 if the server does not tell it."""

    messages: int
    uid_next: int

    def came_since(self, before: "Status") -> int:
        """Return how many messages came; others may have removed some, which UIDNEXT does not mind."""
        return max(self.messages - before.messages, self.uid_next - before.uid_next)


def read_status(lines: Iterable[Any]) -> Status | None:
    """Read the response to STATUS; None if it holds no number."""
    found = [_STATUS_ITEMS.search(line) for line in lines if isinstance(line, bytes)]
    pairs = [pair for items in found if items for pair in _COUNTED.findall(items[1])]
    told = {name.upper(): int(number) for name, number in pairs}
    if not told:
        return None
    return Status(messages=told.get(b"MESSAGES", 0), uid_next=told.get(b"UIDNEXT", 0))


def copied_uids(codes: Iterable[Any]) -> set[int]:
    """Return the UIDs of the messages that response codes name as copied (COPYUID, RFC 4315 section 3)."""
    uids: set[int] = set()
    for code in codes:
        found = _COPIED.fullmatch(code) if isinstance(code, bytes) else None
        for part in found[1].split(b",") if found else []:
            ends = [int(end) for end in part.split(b":")]
            if abs(ends[-1] - ends[0]) < _MAX_COPIED:
                uids.update(range(min(ends), max(ends) + 1))
    return uids


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces:
    """RFC 2342: `prefix` and `separator` of the personal namespace, `foreign` prefixes of other users."""

    prefix: str
    separator: str
    foreign: tuple[str, ...] = ()


def read_namespaces(lines: Iterable[Any], name_of: Callable[[bytes], str]) -> Namespaces | None:
    """Read the response to NAMESPACE; None without a personal namespace. Raises UnreadableResponse.

    Each kind is a list, or NIL. An entry may end in extensions, at which imapclient fails.
    """
    match read_lists([line for line in lines if line is not None]):
        case (((bytes(prefix), separator, *_), *_), *others):
            entries = (entry for group in others for entry in group or ())
            foreign = tuple(name_of(entry[0]) for entry in entries if entry and entry[0])
            return Namespaces(prefix=name_of(prefix), separator=plain(separator) or "/", foreign=foreign)
    return None


def uid_set(uids: Iterable[int]) -> str:
    return ",".join(map(str, uids))


def plain(value: object) -> str:
    """Return a word of the server as text, "" for NIL."""
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
