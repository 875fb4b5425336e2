"""Turn a letter into the bytes that are stored and sent; a second attempt sends the same bytes.

Headers follow RFC 5322, RFC 3834 section 5 and MS-OXCMAIL 2.1.3.2.20. Values are cleaned before and the bytes
are checked after writing: Python before 3.12.4 writes a line break from an encoded word (CVE-2024-6923).

Every message holds an ID, so that its bounce is recognized and never answered: `bw.<16 hex>.<24 hex>`, whose
second part is an HMAC (RFC 2104) of the first. Providers rewrite Message-IDs, so the ID is also in
X-Bounce-Watch-ID, References and the footer.
"""

import hashlib
import hmac
import re
from binascii import b2a_qp
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from html import escape

from bounce_watch.model import Letter
from bounce_watch.model.address import is_deliverable
from bounce_watch.notifications.errors import UnsafeMail
from bounce_watch.notifications.rendering.safe_text import plain

LONGEST_VALUE = 200
LONGEST_LINE = 998

ALLOWED = frozenset(
    (
        *("from", "reply-to", "to", "subject", "date", "message-id", "in-reply-to", "references"),
        *("auto-submitted", "precedence", "x-auto-response-suppress", "x-bounce-watch-id"),
        *("x-bounce-watch-kind", "importance"),
        *("content-language", "mime-version", "content-type"),
    )
)
_REQUIRED = ALLOWED - {"reply-to", "in-reply-to", "importance"}
_MESSAGE_ID = re.compile(r"\A<[!-;=?-~]{1,250}>\Z")
_FIELD = re.compile(rb"\A([!-9;-~]{1,40}):(?: [ -~]*)?\Z")


def clean_header(value: str) -> str:
    """Return the value as one line of at most 200 characters without encoded words."""
    return plain(value.replace("=?", "= ?"), LONGEST_VALUE).replace("=?", "= ?")


def is_message_id(value: str | None) -> bool:
    """Tell whether a Message-ID is plain enough for our headers (RFC 5322 section 3.6.4)."""
    return value is not None and _MESSAGE_ID.match(value) is not None and value.count("@") == 1


def check_mail(content: bytes) -> None:
    """Raise UnsafeMail unless the bytes are a message as we write it: 7 bits, CRLF, known fields, one To."""
    if content.replace(b"\r\n", b"").translate(None, b"\r\n\x00") != content.replace(b"\r\n", b""):
        raise UnsafeMail("a bare line end or a NUL stands in the mail")
    if not content.isascii():
        raise UnsafeMail("a byte above 127 stands in the mail")
    if any(len(line) > LONGEST_LINE for line in content.split(b"\r\n")):
        raise UnsafeMail(f"a line is longer than {LONGEST_LINE} bytes")
    _check_fields(_fields(content.partition(b"\r\n\r\n")[0]))


def _fields(head: bytes) -> list[str]:
    """Return the lower-case field names of a header block in order."""
    names = []
    for line in re.split(rb"\r\n(?![ \t])", head):
        match = _FIELD.match(line.replace(b"\r\n", b""))
        if match is None:
            raise UnsafeMail(f"a header line is malformed: {line[:60]!r}")
        names.append(match[1].decode("ascii").lower())
    return names


def _check_fields(names: list[str]) -> None:
    unknown = sorted(set(names) - ALLOWED)
    if unknown:
        raise UnsafeMail(f"header field {unknown[0]!r} is not one of ours")
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise UnsafeMail(f"header field {repeated[0]!r} stands there twice")
    missing = sorted(_REQUIRED - set(names))
    if missing:
        raise UnsafeMail(f"header field {missing[0]!r} is missing")


# Not "All" and without NDR: we need the report if our own message cannot be delivered.
_SUPPRESS = "DR, RN, NRN, OOF, AutoReply"
_LINE_END = re.compile(r"\r\n|\r|\n")
_ID = re.compile(r"bw\.([0-9a-f]{16})\.([0-9a-f]{24})(?![0-9a-f])")
_MAX_SEARCHED = 64 * 1024


class _Policy(EmailPolicy):
    """SMTP's policy, but without a line break right after the field's name.

    The standard library breaks a long name there, which mail clients show as a leading space.
    """

    def fold(self, name: str, value: str) -> str:
        folded = str(super().fold(name, value))
        return folded.replace(":\r\n ", ": ", 1) if folded.startswith(f"{name}:\r\n ") else folded


_POLICY = _Policy(linesep=SMTP.linesep, max_line_length=SMTP.max_line_length, cte_type="7bit")


def freeze(
    letter: Letter,
    *,
    sender: tuple[str, str],
    bw_id: str,
    message_id: str,
    date: datetime,
    reply_to: str | None = None,
) -> bytes:
    """Return the finished message: multipart/alternative, 7 bits, CRLF, checked byte by byte.

    `sender` is the display name and the address. `reply_to` is None for no field.
    `bw_id` and `message_id` come from `new_ids`.
    Raises UnsafeMail if a value breaks a rule.
    """
    name, address = sender
    for plain_address in (address, letter.to, reply_to or address):
        if not is_deliverable(plain_address):
            raise UnsafeMail("an address of the mail is not plain")
    if not is_message_id(message_id):
        raise UnsafeMail("our own Message-ID is malformed")
    boundary = f"=_{hashlib.sha256(bw_id.encode()).hexdigest()[:32]}"
    head = [
        _from(clean_header(name), address),
        *([f"Reply-To: {reply_to}\r\n"] if reply_to else []),
        f"To: {letter.to}\r\n",
        _folded("Subject", clean_header(letter.subject)),
        f"Date: {format_datetime(date)}\r\n",
        f"Message-ID: {message_id}\r\n",
        *_thread(letter.in_reply_to, message_id),
        "MIME-Version: 1.0\r\n",
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n',
        "Auto-Submitted: auto-generated\r\n",
        f"X-Auto-Response-Suppress: {_SUPPRESS}\r\n",
        "Precedence: bulk\r\n",
        _folded("Content-Language", clean_header(letter.language)),
        f"X-Bounce-Watch-ID: {clean_header(bw_id)}\r\n",
        f"X-Bounce-Watch-Kind: {letter.kind.value}\r\n",
        *(["Importance: high\r\n"] if letter.is_urgent else []),
    ]
    text = "\n".join([*letter.text.splitlines(), f"Reference: {bw_id}", ""])
    body = [
        *_part("plain", text, boundary),
        *_part("html", _signed_html(letter.html, bw_id), boundary),
        f"--{boundary}--\r\n".encode("ascii"),
    ]
    content = b"\r\n".join(["".join(head).encode("ascii"), *body])
    check_mail(content)
    return content


@lru_cache(maxsize=16)
def _from(name: str, address: str) -> str:
    return str(
        _POLICY.fold(*_POLICY.header_store_parse("From", Address(display_name=name, addr_spec=address)))
    )


@lru_cache(maxsize=256)
def _folded(name: str, value: str) -> str:
    """Return a header field; a value that isn't ASCII is one run of encoded words (RFC 2047).

    `email.policy` mixes encoded words and plain text, and drops spaces between them.
    """
    charset = "us-ascii" if value.isascii() else "utf-8"
    folded = Header(value, charset, maxlinelen=76, header_name=name).encode(splitchars=" ", linesep="\r\n")
    return f"{name}: {folded.lstrip()}\r\n"


def _part(subtype: str, text: str, boundary: str) -> tuple[bytes, bytes]:
    """Return the header of one part, with its boundary, and its content."""
    head = (
        f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n"
    )
    lines = _LINE_END.sub("\r\n", text).encode("utf-8", "replace")  # UTF-8 has no lone surrogates
    return head.encode("ascii"), b2a_qp(lines)


def _thread(in_reply_to: str | None, message_id: str) -> list[str]:
    """Refer to the sender's message, if its ID is plain, and to ours, whose Message-ID may be rewritten."""
    if in_reply_to is None or not is_message_id(in_reply_to):
        return [f"References: {message_id}\r\n"]
    return [f"In-Reply-To: {in_reply_to}\r\n", f"References: {in_reply_to}\r\n {message_id}\r\n"]


def _signed_html(html: str, bw_id: str) -> str:
    style = "margin:0;padding:0 16px 16px;text-align:center;font:11px/16px sans-serif;color:#808890"
    line = f'<p style="{style}">Reference: {escape(bw_id)}</p>\n'
    before, body_end, after = html.rpartition("</body>")
    return f"{before}{line}{body_end}{after}" if body_end else f"{html}{line}"


def new_ids(secret: bytes, event_key: str, domain: str) -> tuple[str, str]:
    """Return X-Bounce-Watch-ID and Message-ID for an event, always the same pair."""
    serial = hashlib.sha256(event_key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    bw_id = f"bw.{serial}.{_signature(secret, serial)}"
    return bw_id, f"<{bw_id}@{domain}>"


def is_own_mark(secret: bytes, value: str) -> bool:
    """Tell whether a header value or a text (64 KiB are read) holds an ID that we made."""
    found = _ID.finditer(value[:_MAX_SEARCHED].lower())
    return any(hmac.compare_digest(_signature(secret, match[1]), match[2]) for match in found)


def _signature(secret: bytes, serial: str) -> str:
    return hmac.new(secret, serial.encode("ascii"), hashlib.sha256).hexdigest()[:24]
