"""The MIME tree of a message (RFC 2045, 2046). The one module that knows fast_mail_parser.

Structure comes from its lazy tree; where it refuses a message, a bounded reader of our own takes over.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import fast_mail_parser

from bounce_watch.unwrap.fast_patterns import lazy
from bounce_watch.unwrap.mime import fallback, outlook_item
from bounce_watch.unwrap.mime.compound_file import MAGIC
from bounce_watch.unwrap.mime.headers import Headers, read_headers
from bounce_watch.unwrap.mime.limits import MAX_DEPTH, MAX_MESSAGE, MAX_PARTS, MAX_TEXT, bounded
from bounce_watch.unwrap.mime.text import decode, text_of

_PARAMETER = re.compile(r";\s{0,20}([\w-]{1,40})\*?\s{0,20}=\s{0,20}(\"[^\"]{0,200}\"|[^;\s\"]{1,200})")


class Part:
    """One node of the tree; a message is a part too. Nothing is decoded before it is asked for.

    `content` holds the transfer-decoded bytes of a leaf, and the whole embedded message of a
    message/rfc822 part, whose only child is that message's root.
    """

    def __init__(
        self,
        *,
        content_type: str,
        headers: Callable[[], Headers],
        children: tuple["Part", ...],
        content: Callable[[], bytes],
        filename: str | None = None,
        disposition: str | None = None,
    ) -> None:
        self.content_type = content_type
        self.children = children
        self.filename = filename
        self.disposition = disposition
        self._headers = headers
        self._content = content

    @lazy
    def headers(self) -> Headers:
        return self._headers()

    @lazy
    def content(self) -> bytes:
        return self._content()

    @lazy
    def parameters(self) -> dict[str, str]:
        """Parameters of the Content-Type field, names in lower case."""
        value = self.headers.first("content-type") or ""
        found = _PARAMETER.findall(value[:2000]) if ";" in value else []
        return {name.lower(): text.strip('"') for name, text in reversed(found)}

    @lazy
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
        """Yield the parts of this message that hold content, depth first; embedded messages stay closed."""
        if self.children and not self.is_embedded_message:
            for child in self.children:
                yield from child.leaves()
        else:
            yield self


def parse(raw: bytes) -> Part:
    """Return the root part of a message. Never raises; beyond the limits the rest is left out."""
    message = bounded(raw if not raw.startswith(MAGIC) else outlook_item.as_mail(raw) or raw)
    try:
        tree = fast_mail_parser.parse_email_tree(message, mode="lazy")
    except fast_mail_parser.ParseError:
        return _from_fallback(fallback.parse(message))
    return _from_tree(tree, [MAX_PARTS], message, ())


def _from_tree(node: Any, budget: list[int], message: bytes, path: tuple[int, ...]) -> Part:
    """Take over one node; `budget` counts the parts that are still allowed, `path` leads to the node."""
    below = node.children if len(path) < MAX_DEPTH else ()
    children: list[Part] = []
    for index, child in enumerate(below):
        budget[0] -= 1
        if budget[0] < 0:
            break
        children.append(_from_tree(child, budget, message, (*path, index)))
    return _TreePart(node, tuple(children), message, path)


class _TreePart(Part):
    """A part that still lies in the tree: made for every node, so it takes a reference and no more."""

    def __init__(self, node: Any, children: tuple[Part, ...], message: bytes, path: tuple[int, ...]) -> None:
        self.content_type = node.content_type.lower()
        self.children = children
        self._node = node
        self._message = message
        self._path = path

    @lazy
    def headers(self) -> Headers:
        return _headers_of(self._node, self._message, self._path)

    @lazy
    def content(self) -> bytes:
        return _content_of(self._node, self._message, self._path)

    @lazy
    def filename(self) -> str | None:
        return self._node.filename or None

    @lazy
    def disposition(self) -> str | None:
        return self._node.disposition  # type: ignore[no-any-return]


def _headers_of(node: Any, message: bytes, path: tuple[int, ...]) -> Headers:
    headers = Headers.from_mapping(node.headers)
    return headers if headers or path else read_headers(message)[0]


def _content_of(node: Any, message: bytes, path: tuple[int, ...]) -> bytes:
    """Return a part's bytes, as well as we can where its transfer encoding is broken."""
    try:
        content: bytes | None = node.content
    except fast_mail_parser.ParseError:
        return _undecodable(message, path)
    if content is not None and (path or node.headers):
        return content[:MAX_MESSAGE]
    if path:
        # A multipart without its boundaries, in a forward: its text stands there all the same.
        return b"" if node.children else _undecodable(message, path)
    return message[read_headers(message)[1] :]


def _undecodable(message: bytes, path: tuple[int, ...]) -> bytes:
    node = fallback.parse(message)
    for index in path:
        if index >= len(node.children):
            return b""
        node = node.children[index]
    return node.content


def _from_fallback(found: fallback.Node) -> Part:
    return Part(
        content_type=found.content_type,
        headers=lambda: found.headers,
        children=tuple(map(_from_fallback, found.children)),
        content=lambda: found.content,
        filename=found.filename,
    )
