"""A journal mailbox made on the fly: what an organization writes in a day, and one report in a hundred.

Sizes as in offices: most mails are a text with its HTML and a few Received fields, some carry the pictures of
a signature, some files; 75 KB in the mean.
"""

import base64
import random
from collections.abc import Iterator, Sequence

_ENVELOPE = (
    b"From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@larkfield.example>\r\n"
    b"To: journal@archive.example\r\nSubject: %(subject)b\r\n"
    b"Message-ID: <journal.%(number)d@larkfield.example>\r\n"
    b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\nX-MS-Journal-Report:\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="journal-%(number)d"\r\n\r\n'
    b"--journal-%(number)d\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
    b"Sender: lena@larkfield.example\r\nSubject: %(subject)b\r\n"
    b"Message-Id: <mail.%(number)d@larkfield.example>\r\nRecipient: sam@fabrikam.example\r\n"
    b"--journal-%(number)d\r\nContent-Type: message/rfc822\r\n\r\n%(inside)b\r\n--journal-%(number)d--\r\n"
)
_WORDS = b"the offer for spring and our delivery of parts is with your colleague until Friday noon".split()


def make_journal(reports: Sequence[bytes], count: int, each: int = 100) -> Iterator[bytes]:
    """Yield `count` journalled mails; one of `each` holds a report."""
    chance = random.Random(7)
    for number in range(count):
        is_report = number % each == each // 2
        inside = reports[number // each % len(reports)] if is_report else _ordinary(chance, number)
        yield _ENVELOPE % {b"number": number, b"subject": b"Offer %d" % number, b"inside": inside}


def _ordinary(chance: random.Random, number: int) -> bytes:
    """Return a mail as colleagues write it."""
    text = _prose(chance, chance.randint(300, 4000))
    html = b"<html><head><style>%b</style></head><body><p>%b</p></body></html>" % (
        b"p.MsoNormal {margin: 0cm; font-family: Calibri}\r\n" * 40,
        text.replace(b"\r\n", b"</p>\r\n<p class=MsoNormal><span style='font-size:11.0pt'>"),
    )
    body = _multipart(b"alternative", number, [_part(b"text/plain", text), _part(b"text/html", html)])
    kind = chance.random()
    if kind > 0.5:
        pictures = [_file(chance, b"image/png", b"image%03d.png" % at, 4, 24) for at in range(2)]
        body = _multipart(b"related", number, [body, *pictures])
    if kind > 0.85:
        files = [
            _file(chance, b"application/pdf", b"offer.pdf", 20, 330) for _ in range(chance.randint(1, 2))
        ]
        body = _multipart(b"mixed", number, [body, *files])
    return _header(number) + body


def _header(number: int) -> bytes:
    hop = b"Received: from mail%02d.larkfield.example ([192.0.2.%d]) by hub.example;\r\n\tMon, 23 Nov\r\n"
    fields = b"X-MS-Exchange-AntiSpam-MessageData: " + b"0123456789abcdef" * 60 + b"\r\n"
    return (
        b"".join(hop % (at, at) for at in range(8)) + fields * 3 + b"From: Lena <lena@larkfield.example>\r\n"
        b"To: Sam <sam@fabrikam.example>\r\nSubject: Offer %d\r\nMessage-ID: <mail.%d@larkfield.example>\r\n"
        b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n" % (number, number)
    )


def _prose(chance: random.Random, length: int) -> bytes:
    return b"\r\n".join(b" ".join(chance.choices(_WORDS, k=11)) for _ in range(length // 70 + 1))


def _part(content_type: bytes, content: bytes) -> bytes:
    return b"Content-Type: %b; charset=utf-8\r\n\r\n%b" % (content_type, content)


def _file(chance: random.Random, content_type: bytes, name: bytes, least: int, most: int) -> bytes:
    content = base64.encodebytes(chance.randbytes(chance.randint(least, most) * 1024))
    return (
        b'Content-Type: %b; name="%b"\r\nContent-Transfer-Encoding: base64\r\n'
        b'Content-Disposition: attachment; filename="%b"\r\n\r\n%b'
    ) % (content_type, name, name, content.replace(b"\n", b"\r\n"))


def _multipart(kind: bytes, number: int, parts: Sequence[bytes]) -> bytes:
    """Return a part with its header; the outermost one continues the header of the mail."""
    line = b"%b-%d" % (kind, number)
    inner = b"".join(b"--%b\r\n%b\r\n" % (line, part) for part in parts)
    return b'Content-Type: multipart/%b; boundary="%b"\r\n\r\n%b--%b--\r\n' % (kind, line, inner, line)
