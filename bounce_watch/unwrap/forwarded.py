"""The two ways in which a person forwards a report: as an attachment, or pasted into the text.

A pasted report begins with a block of header lines, in the words of Outlook, Gmail, Apple Mail, Thunderbird
and Yahoo in many languages, or in the shape of such a block: an address, a time, two more lines. A separator
above it is not needed, because the new Outlook for Mac writes none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

from bounce_watch.unwrap.mime.limits import MAX_TEXT
from bounce_watch.unwrap.mime.outlook_item import as_mail
from bounce_watch.unwrap.mime.tree import Part, parse

MAX_ATTACHED = 50
OUTLOOK_ITEM = "application/vnd.ms-outlook"
_UNSPECIFIC = frozenset({"application/octet-stream", "application/x-unknown", "text/plain"})


def attached_messages(message: Part) -> tuple[Part, ...]:
    """Return the attached messages: message/rfc822 parts, files called *.eml, Outlook items (.msg)."""
    return tuple(islice(_attached(message), MAX_ATTACHED))


def _attached(message: Part) -> Iterator[Part]:
    for part in message.leaves():
        if part is message:
            continue
        if part.is_embedded_message:
            yield part.children[0]
        elif part.content_type in _UNSPECIFIC and (part.filename or "").lower().endswith(".eml"):
            yield parse(part.content)
        elif is_outlook_item(part) and (mail := as_mail(part.content)):
            yield parse(mail)


def is_outlook_item(part: Part) -> bool:
    """Tell whether a part calls itself an Outlook item (.msg)."""
    return part.content_type == OUTLOOK_ITEM or (part.filename or "").lower().endswith(".msg")


_FROM = (
    "from|von|de|da|van|från|fra|lähettäjä|od|kimden|gönderen|feladó|de la|отправитель|от|发件人|寄件者"
    "|差出人|보낸 사람"
)
_SENT = (
    "sent|date|gesendet|datum|envoyé|inviato(?: il)?|verzonden|enviado(?: el)?|enviada(?: em)?|fecha|data"
    "|skickat|sendt|dato|lähetetty|päivämäärä|wysłan[oe]|gönderildi|tarih|odesláno|elküldve|dátum|trimis|отправлено"
    "|дата|发送时间|寄件日期|送信日時|日付|보낸 날짜"
)
_SUBJECT = (
    "subject|betreff|objet|oggetto|onderwerp|asunto|assunto|ämne|emne|aihe|temat|konu|předmět|tárgy|subiect"
    "|тема|主题|主旨|件名|제목"
)
_TO = "to|an|à|a|aan|para|til|till|vastaanottaja|do|kime|komu|címzett|către|кому|收件人|宛先|받는 사람"
_QUOTE = re.compile(r"^[ \t]{0,12}(?:>[ \t]?){1,10}", re.MULTILINE)
_LINE = r"[ \t]{0,8}\*{0,2}(?:%s)[ \t\xa0]{0,4}[:：]\*{0,2}[ \t]{0,8}([^\n]{1,500})"
_FROM_LINE = re.compile(_LINE % _FROM, re.IGNORECASE)
_SENT_LINE = re.compile(_LINE % _SENT, re.IGNORECASE)
_SUBJECT_LINE = re.compile(_LINE % _SUBJECT, re.IGNORECASE)
_TO_LINE = re.compile(_LINE % _TO, re.IGNORECASE)
_HEADER_LINE = re.compile(r"[ \t]{0,8}\*{0,2}[^\s:*][^:\n]{0,24}[:：]\*{0,2}(?:\s|$)")
_ANY_LINE = re.compile(_LINE % r"[^\s:*\d][^:\n\d]{0,24}")
_AUTHOR = re.compile(r"(?:[^\n<>]{0,200}<)?[^\s<>]{1,250}@[^\s<>]{1,250}>?[^\n]{0,40}|Microsoft Outlook")
_TIME = re.compile(r"\d{1,2}[:.]\d\d|\d{4}")
_ON_DATE = re.compile(r"[ \t]{0,8}On [^\n]{5,200}<([^<>\s]{3,250})>[^\n]{0,80} wrote:[ \t]{0,8}")
_MAILTO = re.compile(r"<mailto:[^<>\s]{1,320}>")
MAX_BLOCK_LINES = 12
MAX_LINES_BEFORE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """A message pasted into another: its From, To and Subject lines as shown, and its text."""

    sender_line: str
    to: str | None
    subject: str | None
    text: str


def find_pasted(text: str) -> Pasted | None:
    """Return the message pasted into a text, None without a block of header lines."""
    lines = _MAILTO.sub("", _QUOTE.sub("", text[:MAX_TEXT])).split("\n")
    for number, line in enumerate(lines):
        if match := _ON_DATE.fullmatch(line):
            return _pasted(match[1], None, None, lines[number + 1 :])
        if match := _FROM_LINE.fullmatch(line):
            found = _read_block(match[1], lines, number)
            if found:
                return found
    found_by_shape = (_read_shape(lines, number) for number in range(len(lines) - 3))
    return next(filter(None, found_by_shape), None)


def begins_header_block(lines: list[str], number: int) -> bool:
    """Tell whether the header lines of a pasted or quoted message begin at a line."""
    match = _FROM_LINE.fullmatch(lines[number])
    return (match is not None and _read_block(match[1], lines, number) is not None) or (
        _read_shape(lines, number) is not None
    )


def _read_shape(lines: list[str], number: int) -> Pasted | None:
    """Read header lines in any language: author, time, then recipients and subject in any order."""
    author = _ANY_LINE.fullmatch(lines[number])
    if author is None or _AUTHOR.fullmatch(author[1].strip()) is None:
        return None
    matches = (_ANY_LINE.fullmatch(line) for line in lines[number + 1 : number + 6])
    rest = [match[1].strip() for match in takewhile(lambda match: match is not None, matches) if match]
    if len(rest) < 3 or _TIME.search(rest[0]) is None:
        return None
    recipients_last = "@" in rest[-1] and "@" not in rest[1]
    to, subject = (rest[-1], rest[1]) if recipients_last else (rest[1], rest[-1])
    return _pasted(author[1], to, subject, lines[number + 1 + len(rest) :])


def _read_block(sender: str, lines: list[str], number: int) -> Pasted | None:
    """Read the header lines around a From line. Thunderbird writes From third, Gmail writes To last."""
    start = number
    while start > max(0, number - MAX_LINES_BEFORE) and _HEADER_LINE.match(lines[start - 1]):
        start -= 1
    end = number + 1
    while end < len(lines) and end - number < MAX_BLOCK_LINES and lines[end].strip():
        if _HEADER_LINE.match(lines[end]) is None and not _is_continued(lines[end], lines[end + 1 : end + 2]):
            break
        end += 1
    block = lines[start:end]
    subject = _value(_SUBJECT_LINE, block)
    if subject is None or _value(_SENT_LINE, block) is None:
        return None
    return _pasted(sender, _value(_TO_LINE, block), subject, lines[end:])


def _is_continued(line: str, following: list[str]) -> bool:
    """Tell whether a line continues a long list of recipients before the next header line."""
    return "@" in line and bool(following) and _HEADER_LINE.match(following[0]) is not None


def _value(pattern: re.Pattern[str], block: list[str]) -> str | None:
    return next((match[1].strip() for line in block if (match := pattern.fullmatch(line))), None)


def _pasted(sender: str, to: str | None, subject: str | None, lines: list[str]) -> Pasted:
    return Pasted(sender_line=sender.strip(), to=to, subject=subject, text="\n".join(lines).strip("\n"))
