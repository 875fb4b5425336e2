"""Turn a letter into the bytes that are stored and sent, once: a second attempt sends the same bytes.

Headers follow RFC 3834 section 5 and MS-OXCMAIL 2.1.3.2.20. Every value is ours; no byte of a mail we
received is parsed or copied here.
"""

import hashlib
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from html import escape

from bounce_watch.model import Letter
from bounce_watch.model.address import is_deliverable
from bounce_watch.reply.errors import UnsafeMail
from bounce_watch.reply.headers import check_mail, clean_header, is_message_id
from bounce_watch.reply.marks import is_own_mark, new_ids

__all__ = ["clean_header", "freeze", "is_message_id", "is_own_mark", "new_ids"]

# Not "All" and without NDR: we want to see it when guidance cannot be delivered.
_SUPPRESS = "DR, RN, NRN, OOF, AutoReply"


class _Policy(EmailPolicy):
    """SMTP's policy without two habits of the stdlib.

    It writes a long id as an encoded word, and breaks a long subject right after the field's name, which
    readers show as a leading space.
    """

    def fold(self, name: str, value: str) -> str:
        if name.lower() in ("in-reply-to", "references", "message-id"):
            return f"{name}: " + "\r\n ".join(value.split()) + "\r\n"
        folded = str(super().fold(name, value))
        return folded.replace(":\r\n ", ": ", 1) if folded.startswith(f"{name}:\r\n ") else folded

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii")


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
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(display_name=clean_header(name), addr_spec=address)
    mail["To"] = Address(addr_spec=letter.to)
    mail["Subject"] = clean_header(letter.subject)
    mail["Date"] = date
    mail["Message-ID"] = message_id
    _add_thread(mail, letter.in_reply_to, message_id)
    mail.set_content(_encodable(_signed_text(letter.text, bw_id)), cte="quoted-printable")
    html = _encodable(_signed_html(letter.html, bw_id))
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    # "=_" cannot stand in quoted-printable text (RFC 2045 section 6.7), hence the boundary in no part.
    mail.set_boundary(f"=_{hashlib.sha256(bw_id.encode()).hexdigest()[:32]}")
    # After the content: the stdlib hands Content-* fields that it finds on to the first part.
    _add_marks(mail, letter, bw_id)
    content = mail.as_bytes()
    check_mail(content)
    return content


def _add_thread(mail: EmailMessage, in_reply_to: str | None, message_id: str) -> None:
    """Name the person's own mail, if its id is plain, and our own id, which outlives a new Message-ID."""
    named = [in_reply_to] if in_reply_to is not None and is_message_id(in_reply_to) else []
    if named:
        mail["In-Reply-To"] = named[0]
    mail["References"] = " ".join([*named, message_id])


def _add_marks(mail: EmailMessage, letter: Letter, bw_id: str) -> None:
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = _SUPPRESS
    mail["Precedence"] = "bulk"
    mail["Content-Language"] = clean_header(letter.language)
    mail["X-Bounce-Watch-ID"] = clean_header(bw_id)
    mail["X-Bounce-Watch-Kind"] = letter.kind.value


def _signed_text(text: str, bw_id: str) -> str:
    return "\n".join([*text.splitlines(), f"Reference: {bw_id}", ""])


def _signed_html(html: str, bw_id: str) -> str:
    style = "margin:0;padding:0 16px 16px;text-align:center;font:11px/16px sans-serif;color:#808890"
    line = f'<p style="{style}">Reference: {escape(bw_id)}</p>\n'
    before, body_end, after = html.rpartition("</body>")
    return f"{before}{line}{body_end}{after}" if body_end else f"{html}{line}"


def _encodable(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
