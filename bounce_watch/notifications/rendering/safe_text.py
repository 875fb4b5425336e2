"""Make text that others wrote safe to show: in email, on terminals, in spreadsheets (CWE-150, CWE-1236).

Unicode categories: Cc control, Cf format (bidi, zero width), Cs surrogates, Co private, Cn unassigned,
Zl and Zp line separators.
"""

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

from bounce_watch import shipped_files

ELLIPSIS = "…"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Hangul fillers and the braille blank look like nothing but are no format characters.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": ".", "\u2024": "."})
_SCHEME = re.compile(r"(?i)\b(h)tt(ps?)(?=\s?:)")
_COLON = re.compile(r"(?i):(?=//)|(?<=mailto):|(?<=javascript):|(?<=data):|(?<=file):|(?<=tel):")
# From the start of a word and without a second try: else a long word without a dot costs its square.
_HOST = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]++)+")
_RESERVED = frozenset(("example", "test", "invalid", "local", "onion"))


@lru_cache(maxsize=1)
def _top_level_domains() -> frozenset[str]:
    """Return the last labels that make mail clients link a name (Public Suffix List, 2023-02)."""
    return _RESERVED.union(shipped_files.data_file("top_level_domains.txt").read_text("ascii").split())


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


def defang(text: str, keep: Collection[str] = ()) -> str:
    """Return the text with every link broken and nothing else changed, so that it can be searched for.

    A link is what mail clients make clickable: `http` becomes `hxxp`, the colon of a scheme `[:]`, dots of a
    host name or of an address's domain `[.]`. Addresses in `keep` stay: the message is about them.
    """
    known = sorted(filter(None, keep), key=len, reverse=True)
    if not known:
        return _broken(text)
    whole = re.compile(rf"(?i)(?<![\w.+-])({'|'.join(map(re.escape, known))})(?![\w-]|\.[\w-])")
    pieces = whole.split(text)
    return "".join(piece if place % 2 else _broken(piece) for place, piece in enumerate(pieces))


def _broken(text: str) -> str:
    dotted = text.translate(_DOTS)
    without_scheme = _SCHEME.sub(lambda found: f"{found[1]}xx{found[2]}", dotted)
    return _HOST.sub(_broken_host, _COLON.sub("[:]", without_scheme))


def _broken_host(found: re.Match[str]) -> str:
    """Break the dots before top-level domains, all of them after `www`; a word that is no link stays."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    first, *labels = found[0].split(".")
    is_www = first.lower() == "www"
    is_linked = _is_top_level(labels[-1]) or is_www or (before == "@" and not labels[-1].isdigit())
    if not is_linked or after == "@":
        return found[0]
    last = len(labels) - 1
    return first + "".join(
        f"[.]{label}" if is_www or place == last or _is_top_level(label) else f".{label}"
        for place, label in enumerate(labels)
    )


def _is_top_level(label: str) -> bool:
    word = label.lower()
    return not word.isascii() or word.startswith("xn--") or word in _top_level_domains()


def quoted(text: str | None, limit: int = 300, keep: Collection[str] = ()) -> str:
    """Return remote text for an email: cleaned, its links broken, at most `limit` characters."""
    line = defang(plain(text, limit), keep)
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
