"""A lenient, bounded MIME parser for messages that fast_mail_parser refuses."""

import re
from base64 import b64decode
from binascii import Error as BrokenBase64
from dataclasses import dataclass
from quopri import decodestring

from bounce_watch.unwrap.mime.headers import read_fields
from bounce_watch.unwrap.mime.limits import MAX_DEPTH, MAX_PARTS

_TYPE = re.compile(r"\s*([\w.+-]{1,60}/[\w.+-]{1,80})")
_BOUNDARY = re.compile(r"\bboundary\s{0,20}=\s{0,20}(?:\"([^\"]{1,200})\"|([^\s;\"]{1,200}))", re.IGNORECASE)
_NAME = re.compile(r"name\s{0,20}=\s{0,20}\"?([^\";]{1,200})", re.IGNORECASE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One part, with the attributes of a node of fast_mail_parser.

    `content` is transfer-decoded as far as possible.
    """

    content_type: str
    headers: dict[str, list[str]]
    content: bytes
    children: tuple["Node", ...]
    filename: str | None
    disposition: None = None


def parse(message: bytes) -> Node:
    """Read a message into a tree of at most 200 parts, 20 levels deep."""
    return _node(message, [MAX_PARTS], 0)


def _node(source: bytes, budget: list[int], depth: int) -> Node:
    headers, offset = read_fields(source)
    body = source[offset:]
    value = headers.get("content-type", [""])[0]
    match = _TYPE.match(value)
    content_type = match[1].lower() if match else "text/plain"
    children: tuple[Node, ...] = ()
    content = body
    if content_type.startswith("multipart/"):
        children = _parts(body, value, budget, depth) if depth < MAX_DEPTH else ()
        content = b"" if children else body
    else:
        content = _decoded(body, headers.get("content-transfer-encoding", [""])[0])
        if content_type in ("message/rfc822", "message/global") and depth < MAX_DEPTH and budget[0] > 0:
            children = (_node(content, budget, depth + 1),)
    name = _NAME.search(f"{headers.get('content-disposition', [''])[0]};{value}")
    return Node(
        content_type=content_type,
        headers=headers,
        content=content,
        children=children,
        filename=name[1].strip() if name else None,
    )


def _parts(body: bytes, content_type: str, budget: list[int], depth: int) -> tuple[Node, ...]:
    match = _BOUNDARY.search(content_type)
    if match is None:
        return ()
    boundary = re.escape((match[1] or match[2]).encode("utf-8", "replace"))
    nodes: list[Node] = []
    for section in re.split(rb"\n--" + boundary + rb"(?=--|[ \t\r\n]|$)", b"\n" + body)[1:]:
        budget[0] -= 1
        if budget[0] < 0 or section.startswith(b"--"):
            break
        nodes.append(_node(section.partition(b"\n")[2], budget, depth + 1))
    return tuple(nodes)


def _decoded(body: bytes, encoding: str) -> bytes:
    match encoding.strip().lower():
        case "base64":
            return _from_base64(body)
        case "quoted-printable":
            return decodestring(body)
        case _:
            return body


def _from_base64(body: bytes) -> bytes:
    """Decode base64 with some stray bytes; text that only claims to be base64 stays as it is."""
    digits = _NOT_BASE64.sub(b"", body)
    if len(digits) < 0.9 * len(b"".join(body.split()).rstrip(b"=")):
        return body
    try:
        return b64decode(digits[: len(digits) // 4 * 4])
    except (BrokenBase64, ValueError):
        return body
