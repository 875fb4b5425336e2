"""The escapes of the command line: one for the terminal, one for spreadsheet cells.

Text from a mail may hold terminal sequences, bidirectional marks and formulas (CWE-150, CWE-1236).
"""

import unicodedata

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
