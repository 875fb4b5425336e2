"""Rebuild a message from our own reading of it: its MIME tree, the fields that matter, its texts redacted.

No parsed message is written out again: every line is made here from a value that was read.
"""

import re
from base64 import b64decode, b64encode, encodebytes
from binascii import Error
from collections.abc import Callable, Iterator
from quopri import decodestring, encodestring

from bounce_watch.cli.learn.sample.names import SUBJECT
from bounce_watch.model import Report
from bounce_watch.parse import read
from bounce_watch.unwrap.mime.headers import Headers, read_headers
from bounce_watch.unwrap.mime.text import decode

Change = Callable[[str], str]

MAX_DEPTH = 12
LEFT_OUT = "(text left out)"
_KEPT = (
    "return-path", "from", "to", "cc", "sender", "reply-to", "subject", "date", "message-id", "in-reply-to",
    "references", "mime-version", "content-type", "content-transfer-encoding", "content-description",
    "content-language", "auto-submitted", "precedence", "list-id", "x-failed-recipients", "x-autoreply",
    "x-auto-response-suppress", "x-loop", "thread-topic", "resent-from", "resent-to", "x-ms-journal-report",
    "x-ms-exchange-message-is-ndr", "x-ms-exchange-organization-authas", "delivered-to", "x-mailer",
    "x-ms-exchange-parent-message-id", "x-ms-exchange-inbox-rules-loop", "errors-to", "x-mlserver",
    "content-identifer", "content-identifier",
)  # fmt: skip
_PARAMETER = r"(?:^|[;\s]){}\s{{0,5}}=\s{{0,5}}(?:\"([^\"]{{0,200}})\"|([^\s;\"]{{1,200}}))"
_HEADER_LINE = re.compile(r"[>|\s]{0,8}[A-Za-z][A-Za-z-]{1,40}:(?:\s|$)")
_COPY = re.compile(
    r"[>|\s]{0,8}(?:received|mime-version|return-path|x-mailer|dkim-signature):", re.IGNORECASE
)
_SUBJECT_LINE = re.compile(
    r"^([>|\s]{0,8}(?:subject|betreff|objet|asunto|oggetto)[ \t]{0,3}:[ \t]{0,5}).*", re.IGNORECASE
)
_MIN_COPY = 3


def rebuilt(raw: bytes, change: Change, depth: int = 0, *, is_original: bool = False) -> bytes:
    """Return a message with every value changed by `change`; of an original only its fields are kept."""
    headers, end = read_headers(raw)
    body = raw[end:]
    kind = (headers.first("content-type") or "text/plain").partition(";")[0].strip().lower()
    boundary = parameter(headers, "boundary")
    if depth < MAX_DEPTH and kind.startswith("multipart/") and boundary and not is_original:
        name = f"part-{depth}"
        content = b"".join(_parts(body, boundary, name, change, depth))
        return _head(headers, change, f'{kind}{_more(headers)}; boundary="{name}"') + content
    if is_original:
        left_out = f"{LEFT_OUT}\r\n".encode() if body.strip() else b""
        return _head(headers, change, "text/plain", subject=SUBJECT) + left_out
    return _leaf(headers, kind, body, change, depth)


def parameter(headers: Headers, name: str) -> str:
    """Return a parameter of Content-Type, empty if it is absent."""
    found = re.search(_PARAMETER.format(name), headers.first("content-type") or "", re.IGNORECASE)
    return (found[1] or found[2] or "") if found else ""


def _more(headers: Headers) -> str:
    kept = ((name, parameter(headers, name)) for name in ("report-type", "differences"))
    return "".join(f"; {name}={value}" for name, value in kept if re.fullmatch(r"[\w-]{1,40}", value))


def _parts(body: bytes, boundary: str, name: str, change: Change, depth: int) -> Iterator[bytes]:
    """Yield what stands before the first part, then each part behind its boundary line."""
    mark = b"--" + boundary.encode("utf-8", "replace")
    pieces: list[list[bytes]] = [[]]
    closed = False
    for line in body.splitlines(keepends=True):
        bare = line.rstrip()
        if bare in (mark, mark + b"--"):
            closed = bare != mark
            pieces.append([])
        elif not closed:
            pieces[-1].append(line)
    first, *parts = (b"".join(piece) for piece in pieces)
    yield _text(decode(first), change).encode()
    for part in parts[: len(parts) - closed]:
        yield f"\r\n--{name}\r\n".encode() + rebuilt(part, change, depth + 1)
    if closed:
        yield f"\r\n--{name}--\r\n".encode()


def _leaf(headers: Headers, kind: str, body: bytes, change: Change, depth: int) -> bytes:
    encoding = (headers.first("content-transfer-encoding") or "").strip().lower()
    content = _decoded(body, encoding)
    if kind in ("message/rfc822", "message/global", "message/rfc822-headers", "text/rfc822-headers"):
        is_report = kind.endswith("rfc822") and depth < MAX_DEPTH and _is_report(content)
        inner = rebuilt(content, change, depth + 1, is_original=not is_report)
        return _head(headers, change, kind, encoding="") + inner
    if not kind.startswith(("text/", "message/")):
        if kind == "application/octet-stream" and depth < MAX_DEPTH and _is_report(content):
            head = _head(headers, change, f'{kind}; name="message.eml"', encoding="")
            return head + rebuilt(content, change, depth + 1)
        return _head(headers, change, kind, encoding="") + f"{LEFT_OUT}\r\n".encode()
    text = decode(content, parameter(headers, "charset"))
    changed = _text(text, change) if kind != "text/html" else change(text.replace("&#64;", "@"))
    if "content-type" not in headers:
        return _head(headers, change, "", encoding=encoding) + _encoded(changed.encode(), encoding)
    charset = "" if kind.startswith("message/") else "; charset=utf-8"
    return _head(headers, change, f"{kind}{charset}", encoding=encoding) + _encoded(
        changed.encode(), encoding
    )


def _is_report(content: bytes) -> bool:
    return any(isinstance(reading, Report) for reading in read(content))


def _text(text: str, change: Change) -> str:
    """Return a text; the body behind the copy of a message's header is left out, subjects are replaced."""
    kept, fields, is_copy = [], 0, False
    for line in text.splitlines(keepends=True):
        is_blank = not line.strip(" \t\r\n>|")
        is_field = bool(_HEADER_LINE.match(line)) or (fields > 0 and line[:1] in " \t" and not is_blank)
        kept.append(_SUBJECT_LINE.sub(rf"\1{SUBJECT}", line))
        if is_blank and is_copy and fields >= _MIN_COPY:
            kept.append(f"{LEFT_OUT}\r\n")
            break
        fields = fields + 1 if is_field else 0
        is_copy = is_field and (is_copy or bool(_COPY.match(line)))
    return change("".join(kept))


def _head(
    headers: Headers, change: Change, kind: str, encoding: str | None = None, subject: str | None = None
) -> bytes:
    """Return a block of the fields that are kept. None: encoding and subject stay as they are."""
    fixed = {"content-type": kind, "content-transfer-encoding": encoding, "subject": subject}
    fixed["thread-topic"] = SUBJECT
    lines = []
    for name in headers.names():
        for value in headers.every(name) if name in _KEPT else ():
            given = fixed.get(name)
            told = _field(change(" ".join(value.split())[:800])) if given is None else given
            if told or not value.strip():
                lines.append(f"{name.title()}: {told}\r\n")
    return "".join(lines).encode("ascii", "replace") + b"\r\n"


def _field(line: str) -> str:
    return line if line.isascii() else f"=?utf-8?B?{b64encode(line.encode()).decode()}?="


def _decoded(body: bytes, encoding: str) -> bytes:
    try:
        if encoding == "base64":
            return b64decode(b"".join(body.split()) + b"===")
    except Error:
        return body
    return decodestring(body) if encoding == "quoted-printable" else body


def _encoded(content: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return encodebytes(content)
    return encodestring(content) if encoding == "quoted-printable" else content
