"""Mails around mails, with attachments behind them: what a journal and colleagues make of a report."""

import base64
import random
from collections.abc import Iterator

SIZE = 36 * 1024
_HEADER = (
    b"From: Ann Roe <ann@fabrikam.example>\r\nTo: bounces@contoso.example\r\nSubject: FW: look at this\r\n"
    b"Date: Mon, 23 Nov 2026 09:00:00 +0000\r\nMessage-ID: <around@fabrikam.example>\r\nMIME-Version: 1.0\r\n"
)
_CONTENT = base64.encodebytes(random.Random(1).randbytes(SIZE * 3 // 4)).replace(b"\n", b"\r\n")


def attachment(content_type: bytes = b"application/pdf", name: bytes = b"offer.pdf") -> bytes:
    """Return a part with its header, large enough for a look before downloading."""
    return (
        b'Content-Type: %b; name="%b"\r\nContent-Transfer-Encoding: base64\r\n'
        b'Content-Disposition: attachment; filename="%b"\r\n\r\n%b'
    ) % (content_type, name, name, _CONTENT)


def mixed(*parts: bytes, header: bytes = _HEADER, boundary: bytes = b"=_around") -> bytes:
    inside = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts)
    return b'%bContent-Type: multipart/mixed; boundary="%b"\r\n\r\n%b--%b--\r\n' % (
        header, boundary, inside, boundary,
    )  # fmt: skip


def text(words: bytes) -> bytes:
    return b"Content-Type: text/plain; charset=us-ascii\r\n\r\n" + words


def embedded(mail: bytes) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" + mail


def journal(mail: bytes) -> bytes:
    """Return a mail in the envelope that Exchange puts around it."""
    words = b"Sender: ann@fabrikam.example\r\nMessage-Id: <1@x.example>\r\nRecipient: lee@contoso.example\r\n"
    header = _HEADER + b"X-MS-Journal-Report:\r\n"
    return mixed(text(words), embedded(mail), header=header, boundary=b"=_journal")


def with_attachment(mail: bytes) -> bytes:
    """Return a mail to which a file was added: its body becomes the first of two parts."""
    block, _, body = mail.partition(b"\r\n\r\n")
    kept, moved = _apart(block)
    return mixed(
        moved + b"\r\n" + body, attachment(), header=kept + b"MIME-Version: 1.0\r\n", boundary=b"=_add"
    )


def _apart(block: bytes) -> tuple[bytes, bytes]:
    """Take the fields about the content out of a header."""
    kept: list[bytes] = []
    moved: list[bytes] = []
    fields = kept
    for line in block.split(b"\r\n"):
        if line[:1] not in (b" ", b"\t"):
            fields = moved if line.lower().startswith(b"content-") else kept
        if not line.lower().startswith(b"mime-version"):
            fields.append(line + b"\r\n")
    return b"".join(kept), b"".join(moved)


def envelopes(mail: bytes) -> Iterator[bytes]:
    """Yield a mail bare and in each envelope, attachments behind, beside and inside."""
    added = with_attachment(mail)
    yield mail
    yield added
    yield journal(added)
    yield mixed(text(b"please look"), embedded(mail), attachment())
    yield mixed(text(b"please look"), embedded(added), attachment(b"image/png", b"logo.png"))
    yield mixed(text(b"look\r\n\r\n" + pasted(mail)), attachment(), attachment(b"image/png", b"logo.png"))


def pasted(mail: bytes) -> bytes:
    """Return a mail as a client pastes it into the text of a forward."""
    block, _, body = mail.partition(b"\r\n\r\n")
    fields = {line[: line.find(b":")].lower(): line for line in reversed(block.split(b"\r\n"))}
    shown = [fields.get(name, b"X: ") for name in (b"from", b"date", b"to", b"subject")]
    return b"-----Original Message-----\r\n" + b"\r\n".join(shown) + b"\r\n\r\n" + body
