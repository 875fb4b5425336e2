"""SMTP replies in free text: basic code (RFC 5321), enhanced status (RFC 3463), wrapped replies."""

import re
from typing import NamedTuple

MAX_DIAGNOSTIC = 2000

_AFTER_CLASS = r"\.(?:[0-7]|1[0-9])\.\d{1,3}"
_STATUS = rf"[245]{_AFTER_CLASS}"
# A look back stands behind the first digit: a pattern that begins with one is tried at every letter.
_BOTH = re.compile(
    rf"([245](?<![\d.].)\d\d)(?:-|:?\s{{1,8}}|[ -]{{0,2}}[#(\[<'\"]{{1,2}})({_STATUS})(?!\.?\d)"
)
_ALONE = re.compile(rf"([245](?<![\d.\w@/-].){_AFTER_CLASS})(?!\.?\d|[\w@-])")
_BASIC_AT_START = re.compile(r"\s{0,20}[<\"'(\[]?([245][0-5]\d)(?=[ \-:;,.'\"<)\]>]|$)")
_BASIC = re.compile(r"[45][0-5]\d(?=[ \-:;,.'\"<)\]>#]|$)", re.MULTILINE)
_INTRODUCTION = re.compile(
    r"(?:said|says|responded|response|replied|reply|returned|rejected|error|errors?:|code|status|smtp[;:]?|with|was|>>>|<<<|:|\],)"
    r"[\s:;=('\"\[<]{1,6}\Z",
    re.IGNORECASE,
)
_MAX_INTRODUCTION = 16
_LINE_HEAD = re.compile(r"[ \t]{0,20}(?:<<<[ \t]?)?")
_ARROW = re.compile(r"\s-+>\s")


class Codes(NamedTuple):
    """The codes of one reply. Absent values are None."""

    reply_code: str | None = None
    status: str | None = None


def find_codes(text: str) -> Codes:
    """Return the first pair of basic code and status, else what stands alone of either."""
    bounded = text[:MAX_DIAGNOSTIC]
    if match := _BOTH.search(bounded):
        return Codes(match[1], match[2])
    status = _ALONE.search(bounded)
    at_start = _BASIC_AT_START.match(bounded)
    return Codes(at_start[1] if at_start else _find_basic(bounded), status[1] if status else None)


def _find_basic(text: str) -> str | None:
    """Return the basic code that opens a line, else the first one that a word such as `said` introduces."""
    found = list(_BASIC.finditer(text))
    opening = next((match for match in found if _opens_line(text, match)), None)
    told = opening or next((match for match in found if _is_introduced(text, match.start())), None)
    return told[0] if told else None


def _opens_line(text: str, code: re.Match[str]) -> bool:
    start, end = code.span()
    if text[end : end + 1] not in (" ", "-") or not text[end + 1 : end + 2].strip():
        return False
    return _LINE_HEAD.fullmatch(text, text.rfind("\n", 0, start) + 1, start) is not None


def _is_introduced(text: str, start: int) -> bool:
    return _INTRODUCTION.search(text[max(0, start - _MAX_INTRODUCTION) : start]) is not None


def split_wrapped(text: str) -> tuple[str, str | None]:
    """Split a reply that wraps another: `550 5.7.350 Remote server returned ... -> 554 5.7.1 ...`."""
    match = _ARROW.search(text) if "->" in text else None
    if match is None:
        return text, None
    return text[: match.start()], text[match.end() :]


def is_vague(status: str | None) -> bool:
    """Tell whether a status says nothing but its class (`5.0.0`)."""
    return status is None or status.endswith(".0.0")
