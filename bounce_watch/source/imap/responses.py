"""IMAP responses as values (RFC 3501, 2342)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Items = dict[bytes, object]
"""The items of one FETCH response, by their names as the server writes them."""

_ITEM = rb'(?:UID \d{1,10}|RFC822\.SIZE \d{1,20}|INTERNALDATE "[^"\\]{1,40}")'
_PLAIN = re.compile(rb"\d{1,10} \(" + _ITEM + rb"(?: " + _ITEM + rb")*\)")
_VALUES = re.compile(rb'(UID|RFC822\.SIZE|INTERNALDATE) (?:(\d+)|"([^"]+)")')


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
class Namespaces:
    """RFC 2342: `prefix` and `separator` of the personal namespace, `foreign` prefixes of other users."""

    prefix: str
    separator: str
    foreign: tuple[str, ...] = ()


def read_namespaces(personal: Any, *others: Any) -> Namespaces:
    """Read the response to NAMESPACE; each kind of namespace is a list, or NIL."""
    prefix, separator = personal[0] if personal else ("", "/")
    foreign = (plain(entry[0]) for group in others for entry in group or ())
    return Namespaces(prefix=plain(prefix), separator=plain(separator), foreign=tuple(filter(None, foreign)))


def uid_set(uids: Iterable[int]) -> str:
    return ",".join(map(str, uids))


def plain(value: object) -> str:
    """Return a word of the server as text, "" for NIL."""
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
