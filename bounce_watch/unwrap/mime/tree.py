"""The MIME tree of a message (RFC 2045, 2046). Only this module imports fast_mail_parser.

Where fast_mail_parser refuses a message, the bounded parser in `fallback` reads it, and where it would decode
an attached message before our limits hold for its headers, or encoded words one by one that belong together.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import fast_mail_parser

from bounce_watch.unwrap.mime import fallback, outlook_item
from bounce_watch.unwrap.mime.compound_file import MAGIC
from bounce_watch.unwrap.mime.headers import Headers, read_headers
from bounce_watch.unwrap.mime.limits import (
    MAX_DEPTH,
    MAX_MESSAGE,
    MAX_PARTS,
    MAX_TEXT,
    bounded,
    has_encoded_message,
)
from bounce_watch.unwrap.mime.text import decode, text_of

_SIDE_BY_SIDE = re.compile(rb"\?=[ \t\r\n]{1,8}=\?")
_PARAMETER = re.compile(r";\s{0,20}([\w-]{1,40})\*?\s{0,20}=\s{0,20}(\"[^\"]{0,200}\"|[^;\s\"]{1,200})")


class Part:
    """One node of the tree; a message is a part too. Nothing is decoded before it is used.

    `node` comes from one of the two parsers; `path` leads to it from the root of `message`.
    """

    def __init__(
        self, node: Any, children: tuple["Part", ...], message: bytes, path: tuple[int, ...]
    ) -> None:
        self.content_type: str = node.content_type.lower()
        self.children = children
        self._node = node
        self._message = message
        self._path = path

    @cached_property
    def headers(self) -> Headers:
        headers = Headers.from_mapping(self._node.headers)
        return headers if headers or self._path else read_headers(self._message)[0]

    @cached_property
    def content(self) -> bytes:
        """The decoded bytes of a leaf; of a message/rfc822 part the whole message in it."""
        return _content_of(self._node, self._message, self._path)

    @property
    def filename(self) -> str | None:
        return self._node.filename or None

    @property
    def disposition(self) -> str | None:
        return self._node.disposition  # type: ignore[no-any-return]

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Parameters of the Content-Type field, names in lower case."""
        value = self.headers.first("content-type") or ""
        found = _PARAMETER.findall(value[:2000]) if ";" in value else []
        return {name.lower(): text.strip('"') for name, text in reversed(found)}

    @cached_property
    def text(self) -> str:
        """Decoded text with LF line ends, at most 64 KiB; HTML becomes plain lines."""
        content = self.content[: 4 * MAX_TEXT if self.content_type == "text/html" else MAX_TEXT]
        text = decode(content, self.parameters.get("charset"))
        if self.content_type == "text/html":
            return text_of(text)
        return text.replace("\r\n", "\n").replace("\r", "\n")

    @property
    def is_embedded_message(self) -> bool:
        return self.content_type in ("message/rfc822", "message/global") and bool(self.children)

    def leaves(self) -> Iterator["Part"]:
        """Yield the parts that hold content, depth first, without those of embedded messages."""
        if self.children and not self.is_embedded_message:
            for child in self.children:
                yield from child.leaves()
        else:
            yield self


def parse(raw: bytes) -> Part:
    """Return the root part of a message. Never raises; what exceeds the limits is left out."""
    message = bounded(raw if not raw.startswith(MAGIC) else outlook_item.as_mail(raw) or raw)
    return _from_tree(_read_tree(message), [MAX_PARTS], message, ())


def _read_tree(message: bytes) -> Any:
    if has_encoded_message(message):
        return fallback.parse(message)
    try:
        tree = fast_mail_parser.parse_email_tree(message, mode="lazy")
    except fast_mail_parser.ParseError:
        return fallback.parse(message)
    is_cut = _SIDE_BY_SIDE.search(message) is not None and _has_cut_words(tree, MAX_DEPTH)
    return fallback.parse(message) if is_cut else tree


def _has_cut_words(node: Any, depth: int) -> bool:
    """Tell whether a header holds encoded words that are cut within a character."""
    if any("\ufffd" in value for values in node.headers.values() for value in values):
        return True
    return depth > 0 and any(_has_cut_words(child, depth - 1) for child in node.children)


def _from_tree(node: Any, budget: list[int], message: bytes, path: tuple[int, ...]) -> Part:
    """Return a node as a part; `budget` counts the parts that are still allowed."""
    below = node.children if len(path) < MAX_DEPTH else ()
    children: list[Part] = []
    for index, child in enumerate(below):
        budget[0] -= 1
        if budget[0] < 0:
            break
        children.append(_from_tree(child, budget, message, (*path, index)))
    return Part(node, tuple(children), message, path)


def _content_of(node: Any, message: bytes, path: tuple[int, ...]) -> bytes:
    """Return a part's bytes, as far as they can be decoded."""
    try:
        content: bytes | None = node.content
    except fast_mail_parser.ParseError:
        return _undecodable(message, path)
    if content is not None and (path or node.headers):
        return content[:MAX_MESSAGE]
    if path:
        # A forwarded multipart without its boundaries still holds text.
        return b"" if node.children else _undecodable(message, path)
    return message[read_headers(message)[1] :]


def _undecodable(message: bytes, path: tuple[int, ...]) -> bytes:
    node = fallback.parse(message)
    for index in path:
        if index >= len(node.children):
            return b""
        node = node.children[index]
    return node.content
