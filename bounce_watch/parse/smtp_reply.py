"""SMTP replies in free text: basic code (RFC 5321), enhanced status (RFC 3463), wrapped replies."""

import re
from dataclasses import dataclass

MAX_DIAGNOSTIC = 2000

_STATUS = r"[245]\.(?:[0-7]|1[0-9])\.\d{1,3}"
_BOTH = re.compile(
    rf"(?<![\d.])([245]\d\d)(?:-|:?\s{{1,8}}|[ -]{{0,2}}[#(\[<'\"]{{1,2}})({_STATUS})(?!\.?\d)"
)
_ALONE = re.compile(rf"(?<![\d.\w@/-])({_STATUS})(?!\.?\d|[\w@-])")
_BASIC_AT_START = re.compile(r"\s{0,20}[<\"'(\[]?([245][0-5]\d)(?=[ \-:;,.'\"<)\]>]|$)")
_BASIC = re.compile(
    r"(?:said|says|responded|response|replied|reply|returned|rejected|error|errors?:|code|status|smtp[;:]?|with|was|>>>|<<<|:)"
    r"[\s:;=('\"\[<]{1,6}([45][0-5]\d)(?=[ \-:;,.'\"<)\]>#]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_LINE_START = re.compile(r"^[ \t]{0,20}(?:<<<[ \t]?)?([45][0-5]\d)[ -](?=\S)", re.MULTILINE)
_ARROW = re.compile(r"\s-+>\s")


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of one reply. Absent values are None."""

    reply_code: str | None = None
    status: str | None = None


def find_codes(text: str) -> Codes:
    """Return the first pair of basic code and status, else what stands alone of either."""
    bounded = text[:MAX_DIAGNOSTIC]
    if match := _BOTH.search(bounded):
        return Codes(match[1], match[2])
    status = _ALONE.search(bounded)
    basic = _BASIC_AT_START.match(bounded) or _LINE_START.search(bounded) or _BASIC.search(bounded)
    return Codes(basic[1] if basic else None, status[1] if status else None)


def split_wrapped(text: str) -> tuple[str, str | None]:
    """Split a reply that wraps another: `550 5.7.350 Remote server returned ... -> 554 5.7.1 ...`."""
    match = _ARROW.search(text)
    if match is None:
        return text, None
    return text[: match.start()], text[match.end() :]


def is_vague(status: str | None) -> bool:
    """Tell whether a status says nothing but its class (`5.0.0`)."""
    return status is None or status.endswith(".0.0")
