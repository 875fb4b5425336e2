"""Reports pasted into a forward: Outlook (desktop, web, new, Mac), Gmail, Apple Mail, Thunderbird, Yahoo.

A forward is found by a block of header lines in the text, in the languages of the clients; a separator
above it is welcome but not needed (new Outlook for Mac writes none).
"""

import re
from dataclasses import dataclass

from bounce_watch.unwrap.headers import addresses
from bounce_watch.unwrap.limits import MAX_TEXT

_FROM = "from|von|de|da|van|från|fra|lähettäjä|od|kimden|отправитель|от|发件人|寄件者|差出人|보낸 사람"
_SENT = (
    "sent|date|gesendet|datum|envoyé|inviato|verzonden|enviado|enviada(?: em)?|fecha|data|skickat|sendt|dato"
    "|lähetetty|päivämäärä|wysłano|gönderildi|tarih|отправлено|дата|发送时间|寄件日期|送信日時|日付|보낸 날짜"
)
_SUBJECT = (
    "subject|betreff|objet|oggetto|onderwerp|asunto|assunto|ämne|emne|aihe|temat|konu"
    "|тема|主题|主旨|件名|제목"
)
_QUOTE = re.compile(r"^[ \t]{0,12}(?:>[ \t]?){1,10}", re.MULTILINE)
_LINE = r"[ \t]{0,8}\*{0,2}(?:%s)[ \t\xa0]{0,4}:\*{0,2}[ \t]{0,8}([^\n]{1,500})"
_FROM_LINE = re.compile(_LINE % _FROM, re.IGNORECASE)
_SENT_LINE = re.compile(_LINE % _SENT, re.IGNORECASE)
_SUBJECT_LINE = re.compile(_LINE % _SUBJECT, re.IGNORECASE)
_ON_DATE = re.compile(r"[ \t]{0,8}On [^\n]{5,200}<([^<>\s]{3,250})>[^\n]{0,80} wrote:[ \t]{0,8}")
_MAILTO = re.compile(r"<mailto:[^<>\s]{1,320}>")
MAX_BLOCK_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """A mail as pasted into another: whom it names as its author, its subject, and its text."""

    sender: str | None
    sender_line: str
    subject: str | None
    text: str


def find_pasted(text: str) -> Pasted | None:
    """Return the mail pasted into a text, None when no block of header lines is found."""
    plain = _MAILTO.sub("", _QUOTE.sub("", text[:MAX_TEXT]))
    lines = plain.split("\n")
    for number, line in enumerate(lines):
        if match := _ON_DATE.fullmatch(line):
            return _pasted(match[1], None, lines[number + 1 :])
        if match := _FROM_LINE.fullmatch(line):
            found = _read_block(match[1], lines, number)
            if found:
                return found
    return None


def _read_block(sender: str, lines: list[str], start: int) -> Pasted | None:
    block = lines[start + 1 : start + 1 + 2 * MAX_BLOCK_LINES]
    sent, subject_at, subject = False, None, None
    for offset, line in enumerate(block):
        if _FROM_LINE.fullmatch(line):
            break
        sent = sent or _SENT_LINE.fullmatch(line) is not None
        if subject_at is None and (match := _SUBJECT_LINE.fullmatch(line)):
            subject_at, subject = offset, match[1].strip()
        if sent and subject_at is not None:
            break
    if not sent or subject_at is None:
        return None
    rest = start + 2 + max(subject_at, _last_header_line(block))
    return _pasted(sender, subject, lines[rest:])


def _last_header_line(block: list[str]) -> int:
    """Return the offset of the last line of the block: Gmail and Apple put To after Subject."""
    last = 0
    for offset, line in enumerate(block[:MAX_BLOCK_LINES]):
        if re.match(r"[ \t]{0,8}\*{0,2}[^\s:][^:\n]{0,20}:", line):
            last = offset
        elif not line.strip() and last:
            break
    return last


def _pasted(sender: str, subject: str | None, lines: list[str]) -> Pasted:
    found = addresses(sender, limit=1)
    return Pasted(
        sender=found[0] if found else None,
        sender_line=sender.strip(),
        subject=subject,
        text="\n".join(lines).strip("\n"),
    )
