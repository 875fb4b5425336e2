"""Plan how much of a message to fetch to see that it isn't a report: all before its last attachments.

Only what follows the last part that any reader needs may stay on the server. The bytes before it must be
where the server's structure says, which is checked after the fetch: some servers are wrong about that
(Exchange rebuilds messages, and often estimates their size).
"""

import re
from dataclasses import dataclass

from bounce_watch.source.imap.bodystructure import Entity
from bounce_watch.source.interface import MAX_MESSAGE

WORTH = 8 * 1024
"""Minimum number of bytes to save."""
_GAP = 4 * 1024
_AROUND, _AROUND_EACH = 2 * 1024, 1536
"""Maximum bytes of headers and boundaries in what is left out: in total, and per part."""

_ATTACHMENT_TYPES = re.compile(
    r"(?:image|audio|video|font)/.+|text/(?:calendar|csv|x-vcard|vcard|directory)"
    r"|application/(?:pdf|zip|x-zip-compressed|x-zip|gzip|msword|rtf|ics|(?:x-)?pkcs7-(?:signature|mime)"
    r"|pgp-signature|postscript|vnd\.ms-(?:excel|powerpoint|word)(?:\..+)?|vnd\.openxmlformats-officedocument\..+"
    r"|vnd\.oasis\.opendocument\..+)"
)
_BY_NAME = frozenset({"application/octet-stream", "application/x-unknown"})
_ATTACHMENT_NAMES = re.compile(
    r".+\.(?:pdf|png|jpe?g|gif|bmp|tiff?|webp|svg|ico|hei[cf]|docx?|docm|dotx|xlsx?|xlsm|xlsb|csv|pptx?|ppsx|rtf"
    r"|od[tsp]|vsdx?|zip|7z|rar|gz|tgz|mp[34]|m4a|wav|avi|mov|ics|vcf|p7[sm]|asc|sig|dwg|dxf)",
    re.IGNORECASE | re.DOTALL,
)
_REPORTS = re.compile(
    r"multipart/report|message/(?:global-)?(?:delivery-status|disposition-notification|feedback-report)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Fetch `length` bytes: all up to `first`, which is left out with all parts after it."""

    length: int
    structure: Entity
    first: Entity
    left_out: tuple[Entity, ...]


def plan(structure: Entity | None, size: int) -> Plan | None:
    """Return what to fetch of a message of `size` bytes; None for all of it."""
    entities = tuple(structure.all()) if structure else ()
    if structure is None or any(_REPORTS.fullmatch(entity.content_type) for entity in entities):
        return None
    left_out = _last_attachments(entities)
    saved = sum(entity.octets for entity in left_out)
    length = size - saved
    if not left_out or saved < WORTH or not 0 < length < min(size, MAX_MESSAGE) - WORTH:
        return None
    return Plan(length=length, structure=structure, first=left_out[0], left_out=left_out)


def _last_attachments(entities: tuple[Entity, ...]) -> tuple[Entity, ...]:
    """Return the attachments at the end, after the last part that a reader needs."""
    leaves = [entity for entity in entities if not entity.children]
    start = len(leaves)
    while start and is_attachment_only(leaves[start - 1]):
        start -= 1
    return tuple(leaves[start:])


def is_attachment_only(entity: Entity) -> bool:
    """Tell whether no reader needs a part: its type and all its names are of attachments."""
    if entity.names is None or not all(_ATTACHMENT_NAMES.fullmatch(name) for name in entity.names):
        return False
    if entity.content_type in _BY_NAME:
        return bool(entity.names)
    return _ATTACHMENT_TYPES.fullmatch(entity.content_type) is not None


def cut(head: bytes, made: Plan, size: int) -> bytes | None:
    """Return the bytes up to the body of the first part left out; None if the plan does not fit them.

    `size` is the message's length as the server states it: unexplained bytes might be a hidden part.
    """
    try:
        end = _walk(made.structure, head, 0, made.first)
    except _Reached as reached:
        rest = size - reached.at - sum(entity.octets for entity in made.left_out)
        fits = 0 <= rest <= _AROUND + _AROUND_EACH * len(made.left_out)
        return head[: reached.at] if fits else None
    except _Mismatch:
        return None
    raise AssertionError(f"the part left out was passed over, at {end}")


class _Reached(Exception):
    """The first part left out was reached; its body begins `at`."""

    def __init__(self, at: int) -> None:
        self.at = at


class _Mismatch(Exception):
    """The bytes are not where the structure says."""


def _walk(entity: Entity, head: bytes, at: int, first: Entity) -> int:
    """Follow a part from its header and return where it ends, without its epilogue."""
    body = _behind_header(head, at)
    if entity is first:
        if entity.content_type.encode() not in head[at:body].lower():
            raise _Mismatch
        raise _Reached(body)
    if entity.boundary is None:
        for child in entity.children:
            _walk(child, head, body, first)
        return body + entity.octets
    # An empty part, or no part, shares the line break of the header with the boundary.
    end, may_begin, must_begin = body, body - 2, False
    for child in entity.children:
        start = _behind_boundary(head, may_begin, entity.boundary, at_once=must_begin)
        end = _walk(child, head, start, first)
        may_begin = end - 2 * (not child.octets)
        must_begin = child.boundary is None
    return end


def _behind_header(head: bytes, at: int) -> int:
    if head.startswith(b"\r\n", at):
        return at + len(b"\r\n")
    end = head.find(b"\r\n\r\n", at)
    if end < 0:
        raise _Mismatch
    return end + len(b"\r\n\r\n")


def _behind_boundary(head: bytes, at: int, boundary: bytes, *, at_once: bool) -> int:
    """Return where a part begins: after the next boundary line, which follows `at_once` or soon."""
    line = re.compile(rb"\r\n--" + re.escape(boundary) + rb"[ \t]{0,20}\r\n")
    found = line.match(head, at) if at_once else line.search(head, at, at + _GAP)
    if found is None:
        raise _Mismatch
    return found.end()
