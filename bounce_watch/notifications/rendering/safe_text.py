"""Make text that others wrote safe to show: in email, on terminals, in spreadsheets (CWE-150, CWE-1236).

Unicode categories: Cc control, Cf format (bidi, zero width), Cs surrogates, Co private, Cn unassigned,
Zl and Zp line separators.
"""

import re
import unicodedata

ELLIPSIS = "…"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Hangul fillers and the braille blank look like nothing but are no format characters.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": ".", "\u2024": "."})
_SCHEME = re.compile(r"(?i)\b(h)tt(ps?)(?=\s?:)")
_COLON = re.compile(r"(?i):(?=//)|(?<=mailto):|(?<=javascript):|(?<=data):|(?<=file):|(?<=tel):")
_LINK_DOT = re.compile(r"(?<=[\w-])\.(?=([^\W\d_][\w-]{0,62}))")
# File endings that aren't top-level domains (IANA root zone, 2026-11): clients don't link them.
_FILE_ENDINGS = frozenset(
    (
        *("pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "txt", "csv", "xml"),
        *("jpg", "jpeg", "png", "msg", "eml"),
    )
)


def plain(text: str | None, limit: int) -> str:
    """Return one clean line of at most `limit` characters; a longer one is cut and ends in an ellipsis.

    Controls and line breaks become spaces. Invisible characters (bidi, zero width, fillers) are dropped.
    Lone surrogates become U+FFFD, spaces are collapsed, the form is NFC (UAX 15). None gives "".
    """
    # Normalizing costs time per character, so text that can never be shown is cut off first.
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


def defang(text: str) -> str:
    """Return the text with every link and host name broken, so that mail clients don't make it clickable.

    `http` becomes `hxxp`, a dot before a letter `[.]`, the colon of a scheme `[:]`.
    Codes such as 5.7.1, numbers and common file endings stay as they are.
    """
    dotted = text.translate(_DOTS)
    without_scheme = _SCHEME.sub(lambda found: f"{found[1]}xx{found[2]}", dotted)
    without_colon = _COLON.sub("[:]", without_scheme)
    return _LINK_DOT.sub(lambda found: "." if found[1].lower() in _FILE_ENDINGS else "[.]", without_colon)


def quoted(text: str | None, limit: int = 300) -> str:
    """Return remote text for an email: cleaned, defanged, at most `limit` characters."""
    line = defang(plain(text, limit))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + ELLIPSIS


# Spreadsheets accept full-width signs too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def for_terminal(text: str) -> str:
    r"""Return text in which every character that is invisible or acts on a terminal is an escape (`\x1b`).

    Nothing is dropped, so that an admin sees what was there.
    """
    return "".join(_escaped(character) if is_hidden(character) else character for character in text)


def is_hidden(character: str) -> bool:
    """Tell whether a character is invisible or controls a terminal."""
    return character in _BLANKS or unicodedata.category(character) in _HIDDEN


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def for_cell(value: object) -> str:
    """Return a CSV cell that spreadsheets do not treat as a formula."""
    text = "" if value is None else str(value)
    text = "".join(character for character in text if character in "\t\n" or character.isprintable())
    return f"'{text}" if text.lstrip(" \ufeff").startswith(_FORMULA_STARTS) else text
