"""Turn a letter into the bytes that are stored and sent, once: a second attempt sends the same bytes.

Headers follow RFC 3834 section 5 and MS-OXCMAIL 2.1.3.2.20. Every value is ours; no byte of a mail we
received is parsed or copied here.
"""

import hashlib
import re
from binascii import b2a_qp
from datetime import datetime
from email.headerregistry import Address
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from html import escape

from bounce_watch.model import Letter
from bounce_watch.model.address import is_deliverable
from bounce_watch.reply.errors import UnsafeMail
from bounce_watch.reply.headers import check_mail, clean_header, is_message_id

# Not "All" and without NDR: we want to see it when guidance cannot be delivered.
_SUPPRESS = "DR, RN, NRN, OOF, AutoReply"
_LINE_END = re.compile(r"\r\n|\r|\n")


class _Policy(EmailPolicy):
    """SMTP's policy without a habit of the stdlib.

    It breaks a long subject right after the field's name, which readers show as a leading space.
    """

    def fold(self, name: str, value: str) -> str:
        folded = str(super().fold(name, value))
        return folded.replace(":\r\n ", ": ", 1) if folded.startswith(f"{name}:\r\n ") else folded


_POLICY = _Policy(linesep=SMTP.linesep, max_line_length=SMTP.max_line_length, cte_type="7bit")


def freeze(letter: Letter, *, sender: tuple[str, str], bw_id: str, message_id: str, date: datetime) -> bytes:
    """Return the finished mail: multipart/alternative, seven bits, CRLF, checked byte by byte.

    `sender` is the display name and the address. `bw_id` and `message_id` come from `new_ids`.
    Raises UnsafeMail when any value breaks a rule; nothing may be sent then.
    """
    name, address = sender
    for plain_address in (address, letter.to):
        if not is_deliverable(plain_address):
            raise UnsafeMail("an address of the mail is not plain")
    if not is_message_id(message_id):
        raise UnsafeMail("our own Message-ID is malformed")
    boundary = f"=_{hashlib.sha256(bw_id.encode()).hexdigest()[:32]}"
    head = [
        _from(clean_header(name), address),
        f"To: {letter.to}\r\n",
        _folded("Subject", clean_header(letter.subject)),
        f"Date: {format_datetime(date)}\r\n",
        f"Message-ID: {message_id}\r\n",
        *_thread(letter.in_reply_to, message_id),
        "MIME-Version: 1.0\r\n",
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n',
        *_marks(letter, bw_id),
    ]
    body = [
        *_part("plain", _signed_text(letter.text, bw_id), boundary),
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
    """Return a field with text that may need encoded words (RFC 2047)."""
    return str(_POLICY.fold(*_POLICY.header_store_parse(name, value)))


def _part(subtype: str, text: str, boundary: str) -> tuple[bytes, bytes]:
    """Return the head of one part, with its boundary, and its content."""
    head = (
        f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n"
    )
    lines = _LINE_END.sub("\r\n", text).encode("utf-8", "replace")  # lone surrogates: UTF-8 has none
    return head.encode("ascii"), b2a_qp(lines)


def _thread(in_reply_to: str | None, message_id: str) -> list[str]:
    """Name the person's own mail, if its id is plain, and our own id, which outlives a new Message-ID."""
    if in_reply_to is None or not is_message_id(in_reply_to):
        return [f"References: {message_id}\r\n"]
    return [f"In-Reply-To: {in_reply_to}\r\n", f"References: {in_reply_to}\r\n {message_id}\r\n"]


def _marks(letter: Letter, bw_id: str) -> list[str]:
    return [
        "Auto-Submitted: auto-generated\r\n",
        f"X-Auto-Response-Suppress: {_SUPPRESS}\r\n",
        "Precedence: bulk\r\n",
        _folded("Content-Language", clean_header(letter.language)),
        f"X-Bounce-Watch-ID: {clean_header(bw_id)}\r\n",
        f"X-Bounce-Watch-Kind: {letter.kind.value}\r\n",
    ]


def _signed_text(text: str, bw_id: str) -> str:
    return "\n".join([*text.splitlines(), f"Reference: {bw_id}", ""])


def _signed_html(html: str, bw_id: str) -> str:
    style = "margin:0;padding:0 16px 16px;text-align:center;font:11px/16px sans-serif;color:#808890"
    line = f'<p style="{style}">Reference: {escape(bw_id)}</p>\n'
    before, body_end, after = html.rpartition("</body>")
    return f"{before}{line}{body_end}{after}" if body_end else f"{html}{line}"
