"""The one place where a value is written into a PowerShell command.

PowerShell reads the typographic quotes U+2018 to U+201B as single quotes too: each is doubled inside a
single-quoted string, where nothing else is special (learn.microsoft.com, about_Quoting_Rules, 2026-11).
"""

import re
import unicodedata
from collections.abc import Mapping

from bounce_watch.reply.errors import Unquotable

LONGEST_VALUE = 320
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
PLACEHOLDER = re.compile(r"<([a-z][a-z_]*)>")
_REFUSED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def quote(value: str) -> str:
    """Return the value as a single-quoted PowerShell string.

    Raises Unquotable for control, bidi and other invisible characters, line breaks, surrogates, and for
    what is longer than an address can be: such a value is no address or domain, and nobody should paste it.
    """
    if len(value) > LONGEST_VALUE or any(unicodedata.category(character) in _REFUSED for character in value):
        raise Unquotable("the value holds characters that no command may carry")
    return "'" + _QUOTES.sub(lambda found: found[0] * 2, value) + "'"


def fill(command: str, values: Mapping[str, str]) -> str:
    """Return a command template with each `<name>` replaced by its quoted value.

    A name without a value, or with one that cannot be quoted, stays as it is, for the admin to fill in.
    """

    def replacement(found: re.Match[str]) -> str:
        value = values.get(found[1])
        if value is None:
            return found[0]
        try:
            return quote(value)
        except Unquotable:
            return found[0]

    return PLACEHOLDER.sub(replacement, command)
