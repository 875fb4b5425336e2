"""Read the structure of a message as an IMAP server reports it (RFC 3501, BODYSTRUCTURE), within limits.

The server derives it from hostile bytes. A structure that is not understood is left out, and all of the
message is fetched.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from bounce_watch.source.imap.responses import UnreadableResponse, read_lists, split_responses
from bounce_watch.unwrap.mime.headers import decode_words

MAX_ANSWER = 16 * 1024
"""Maximum bytes of one structure; a longer one is not read."""
MAX_PARTS = 60
MAX_DEPTH = 10
_NUMBER = re.compile(rb"[0-9]{1,10}")
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+_-]{0,79}/[a-z0-9][a-z0-9.+_-]{0,99}")
_BOUNDARY = re.compile(rb"[!-~ ]{1,200}")
_NAME_KEYS = {"name", "filename", "name*", "filename*"}
_PLAIN = {"7bit", "8bit", "binary"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One part. `octets` is the length of its body as sent, 0 for a multipart, which has a `boundary`.

    The only child of an embedded message is that message. `names` holds all file names of the part, None
    if one of them is written in a form that is not supported.
    """

    content_type: str
    octets: int = 0
    boundary: bytes | None = None
    children: tuple["Entity", ...] = ()
    names: tuple[str, ...] | None = ()

    def all(self) -> Iterator["Entity"]:
        """Yield this part and all below it, in the order of the message."""
        yield self
        for child in self.children:
            yield from child.all()


class _Unsupported(Exception):
    """The structure is not supported."""


def structures_in(lines: Iterable[Any]) -> dict[int, Entity]:
    """Return the structures in the responses to a FETCH, by UID, without unsupported or too large ones."""
    found: dict[int, Entity] = {}
    for answer in split_responses(lines):
        with suppress(_Unsupported, UnreadableResponse, LookupError, TypeError, ValueError):
            found |= _structure_in(answer)
    return found


def _structure_in(answer: Sequence[Any]) -> dict[int, Entity]:
    if sum(len(line) if isinstance(line, bytes) else sum(map(len, line)) for line in answer) > MAX_ANSWER:
        raise _Unsupported
    _, items = read_lists(answer)
    named = dict(zip(map(_word, items[::2]), items[1::2], strict=True))
    return {int(named["uid"]): _entity(named["bodystructure"], [MAX_PARTS], 0)}


def _entity(node: Any, budget: list[int], depth: int) -> Entity:
    budget[0] -= 1
    if not isinstance(node, tuple) or not node or depth > MAX_DEPTH or budget[0] < 0:
        raise _Unsupported
    if isinstance(node[0], tuple):
        count = next((at for at, part in enumerate(node) if not isinstance(part, tuple)), len(node))
        return _multipart(node[:count], node[count:], budget, depth)
    return _leaf(node, budget, depth)


def _multipart(parts: Sequence[Any], rest: Sequence[Any], budget: list[int], depth: int) -> Entity:
    boundary = next((value for key, value in _pairs(rest[1]) if key == "boundary"), b"")
    if _BOUNDARY.fullmatch(boundary) is None:
        raise _Unsupported
    return Entity(
        content_type=_content_type(b"multipart", rest[0]),
        boundary=boundary,
        children=tuple(_entity(part, budget, depth + 1) for part in parts),
    )


def _leaf(node: Sequence[Any], budget: list[int], depth: int) -> Entity:
    content_type = _content_type(node[0], node[1])
    if _NUMBER.fullmatch(node[6]) is None:
        raise _Unsupported
    children: tuple[Entity, ...] = ()
    if content_type in ("message/rfc822", "message/global"):
        if _word(node[5]) not in _PLAIN:
            raise _Unsupported
        children = (_entity(node[8], budget, depth + 1),)
    return Entity(content_type=content_type, octets=int(node[6]), children=children, names=_names(node))


def _content_type(main: object, sub: object) -> str:
    content_type = f"{_word(main)}/{_word(sub)}"
    if _TYPE.fullmatch(content_type) is None:
        raise _Unsupported
    return content_type


def _word(value: object) -> str:
    return value.decode("latin-1").lower() if isinstance(value, bytes) else ""


def _pairs(parameters: object) -> list[tuple[str, bytes]]:
    """Return names and values of a list of parameters, an empty list for NIL."""
    if parameters is None:
        return []
    if not isinstance(parameters, tuple) or len(parameters) % 2:
        raise _Unsupported
    pairs = zip(parameters[::2], parameters[1::2], strict=True)
    return [(_word(key), value if isinstance(value, bytes) else b"") for key, value in pairs]


def _names(node: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the file names of a leaf, from its type and its disposition, at any position."""
    dispositions = (item[1] for item in node[7:] if _is_disposition(item))
    pairs = [*_pairs(node[2]), *(pair for found in dispositions for pair in _pairs(found))]
    if any(key.startswith(("name*", "filename*")) and key not in _NAME_KEYS for key, _ in pairs):
        return None
    return tuple(_readable(value) for key, value in pairs if key in _NAME_KEYS)


def _is_disposition(item: object) -> bool:
    return (
        isinstance(item, tuple)
        and len(item) == 2
        and isinstance(item[0], bytes)
        and (item[1] is None or isinstance(item[1], tuple))
    )


def _readable(name: bytes) -> str:
    """Decode a file name in either form (RFC 2047, 2231). Its ending is ASCII in both."""
    return unquote(decode_words(name[:2000].decode("latin-1")), encoding="latin-1").strip(" \t\r\n\"'.")
