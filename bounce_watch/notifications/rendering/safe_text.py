"""The one place where text that others wrote is made fit for people: letters, terminals, spreadsheets.

Unicode categories: Cc control, Cf format (bidi, zero width), Cs surrogates, Zl and Zp line separators.


The escapes of the command line: one for the terminal, one for spreadsheet cells.

Text from a mail may hold terminal sequences, bidirectional marks and formulas (CWE-150, CWE-1236).
"""

import re
import unicodedata

ELLIPSIS = "…"
# Hangul fillers and the braille blank look like nothing but are no format characters.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": ".", "\u2024": "."})
_SCHEME = re.compile(r"(?i)\b(h)tt(ps?)(?=\s?:)")
_COLON = re.compile(r"(?i):(?=//)|(?<=mailto):|(?<=javascript):|(?<=data):|(?<=file):|(?<=tel):")
_LINK_DOT = re.compile(r"(?<=[\w-])\.(?=([^\W\d_][\w-]{0,62}))")
# File endings that are no top-level domains (IANA root zone, 2026-11): no client turns them into links.
_FILE_ENDINGS = frozenset(
    (
        *("pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "txt", "csv", "xml"),
        *("jpg", "jpeg", "png", "msg", "eml"),
    )
)


def plain(text: str | None, limit: int) -> str:
    """Return one clean line of at most `limit` characters; a longer one is cut and ends in an ellipsis.

    Controls and line breaks become spaces, invisible characters (bidi, zero width, fillers) are dropped,
    lone surrogates become U+FFFD, spaces are collapsed. NFC (UAX 15). None gives an empty string.
    """
    # Normalising and mapping cost time per character: what can never be shown is not looked at.
    start = unicodedata.normalize("NFC", (text or "")[: limit * 4])
    harmless = start.isascii() and start.isprintable()
    cleaned = start if harmless else "".join(map(_clean, start))
    line = " ".join(cleaned.split())
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def _clean(character: str) -> str:
    match unicodedata.category(character):
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cs":
            return "\ufffd"
        case "Cf" | "Co" | "Cn":
            return ""
        case _:
            return "" if character in _BLANKS else character


def visible(text: str | None, limit: int = 2000) -> str:
    r"""Return the text with every character that could act on a terminal or log written as `\xNN`.

    Controls, escapes, bidi and zero-width characters, line separators and surrogates stay recognisable
    instead of being dropped: for logs and terminals, where an admin wants to see what was there.
    """
    return "".join(_escaped(character) for character in (text or "")[:limit])


def _escaped(character: str) -> str:
    if character.isprintable() and character not in _BLANKS:
        return character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def defang(text: str) -> str:
    """Return the text with every link and host name broken, so that no mail client makes it clickable.

    `http` becomes `hxxp`, a dot before a letter `[.]`, the colon of a scheme `[:]`. Codes such as 5.7.1,
    numbers and the usual file endings stay as they are.
    """
    dotted = text.translate(_DOTS)
    without_scheme = _SCHEME.sub(lambda found: f"{found[1]}xx{found[2]}", dotted)
    without_colon = _COLON.sub("[:]", without_scheme)
    return _LINK_DOT.sub(lambda found: "." if found[1].lower() in _FILE_ENDINGS else "[.]", without_colon)


def quoted(text: str | None, limit: int = 300) -> str:
    """Return remote text that may be shown in a letter: cleaned, defanged, at most `limit` characters."""
    line = defang(plain(text, limit))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + ELLIPSIS


_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # full-width ones are formulas too


def for_terminal(text: str) -> str:
    """Return text with every control, format and private character written as its escape."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _INVISIBLE:
        return character
    return character.encode("unicode_escape").decode("ascii")


def for_cell(value: object) -> str:
    """Return a CSV cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    text = "".join(character for character in text if character in "\t\n" or character.isprintable())
    return f"'{text}" if text.lstrip(" \ufeff").startswith(_FORMULA_STARTS) else text
