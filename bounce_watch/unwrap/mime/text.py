"""Clean text from the bytes of a part, and lines of text from HTML. Never raises, takes linear time."""

import re
from html import unescape

from bounce_watch.unwrap.mime.limits import MAX_TEXT

_ALLOWED_NAMES = """
    us-ascii ascii utf-8 utf8 utf-7 utf-16 utf-16le utf-16be utf-32 iso-8859-1 iso-8859-2 iso-8859-3
    iso-8859-4 iso-8859-5 iso-8859-6 iso-8859-7 iso-8859-8 iso-8859-9 iso-8859-10 iso-8859-11 iso-8859-13
    iso-8859-14 iso-8859-15 iso-8859-16 latin-1 latin1 windows-1250 windows-1251 windows-1252 windows-1253
    windows-1254 windows-1255 windows-1256 windows-1257 windows-1258 windows-874 cp1250 cp1251 cp1252 cp1253
    cp1254 cp1255 cp1256 cp1257 cp1258 cp437 cp850 cp866 cp932 cp936 cp949 cp950 koi8-r koi8-u iso-2022-jp
    iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3 iso-2022-kr shift_jis shift-jis sjis euc-jp euc-kr
    ks_c_5601-1987 gb2312 gbk gb18030 big5 big5-hkscs hz-gb-2312 tis-620 macintosh mac-roman"""
_ALLOWED = frozenset(_ALLOWED_NAMES.split())
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def decode(content: bytes, declared: str | None = None) -> str:
    """Decode bytes as declared, else as UTF-8, windows-1252 or Latin-1, without NULs and surrogates.

    Only charsets of a fixed list are used.
    """
    for charset in (_known(declared), "utf-8", "cp1252"):
        if charset is None:
            continue
        try:
            return _scrubbed(content.decode(charset))
        except (UnicodeError, LookupError):
            continue
    return _scrubbed(content.decode("latin-1"))


def _known(declared: str | None) -> str | None:
    name = (declared or "").strip().strip("\"'").lower()
    # ASCII is read as UTF-8, because senders declare us-ascii and write anything.
    return name if name in _ALLOWED and name not in ("us-ascii", "ascii") else None


def _scrubbed(text: str) -> str:
    return text if "\x00" not in text and text.isascii() else _NOT_TEXT.sub("", text)


def one_line(text: str, limit: int = 1000) -> str:
    """Return text as one line; control characters and line breaks become a space."""
    if len(text) <= limit and text.isprintable():
        return text.strip()
    return _CONTROLS.sub(" ", _NOT_TEXT.sub("", text[: 4 * limit])).strip()[:limit]


_BLOCK = re.compile(
    r"<(?:/?(?:p|div|tr|table|ul|ol|li|h[1-6]|blockquote|pre|dt|dd)\b|br\b)[^<>]*>", re.IGNORECASE
)
_TAG = re.compile(r"<(?:[a-zA-Z/!?][^<>]*)>")
_SPACES = re.compile(r"[ \t\xa0]+")
_PRE = re.compile(r"<pre\b[^<>]*>[^<]*", re.IGNORECASE)
_HIDDEN = ("style", "script", "head")
_ADDRESS_TAG = re.compile(r"<([^<>\s@]{1,100}@[^<>\s@]{1,100})>")


def text_of(html: str) -> str:
    """Return the visible text of HTML, one line for each block, at most 64 KiB."""
    visible = html[: 4 * MAX_TEXT]
    for element in _HIDDEN:
        visible = _without(visible, element)
    visible = _PRE.sub(lambda match: match[0].replace("\n", "<br>"), visible.replace("\r", ""))
    # Reports hold `<user@example.com>` unescaped, which is not a tag.
    visible = _ADDRESS_TAG.sub(r"&lt;\1&gt;", visible.replace("\n", " "))
    visible = _TAG.sub(" ", _BLOCK.sub("\n", visible))
    lines = (_SPACES.sub(" ", line).strip() for line in unescape(visible).split("\n"))
    return "\n".join(line for line in lines if line)[:MAX_TEXT]


def _without(html: str, element: str) -> str:
    lowered = html.lower()
    kept: list[str] = []
    position = 0
    while (start := lowered.find(f"<{element}", position)) >= 0:
        end = lowered.find(f"</{element}", start)
        if end < 0:
            break
        kept.append(html[position:start])
        position = end
    return "".join(kept) + html[position:]
