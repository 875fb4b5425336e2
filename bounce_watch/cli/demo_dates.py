"""The dates of the sample week: it ends on the day before it is played, so that `--since 7d` finds it.

The messages in data/demo are dated Monday 9 to Friday 13 November 2026.
"""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

LAST_DAY = date(2026, 11, 13)
# Quoted-printable may break a line inside a date (RFC 2045 section 6.7).
_BREAK = rb"(?:=\r?\n)?"
_DAY, _YEAR = (rb"\d", rb"\d?"), (rb"2", rb"0", rb"2", rb"6")
_WEEKDAY = rb"(?:[FMSTW](?:" + _BREAK + rb"[a-z]){2,8}" + _BREAK + rb",)?"
_MONTH = (rb"N", rb"o", rb"v(?:ember)?")
_FORMS = (
    (_WEEKDAY, rb" ", *_DAY, rb" ", *_MONTH, rb" ", *_YEAR),
    (rb"1", rb"1", rb"/", *_DAY, rb"/", *_YEAR),
    (*_YEAR, rb"-", rb"1", rb"1", rb"-", rb"\d", rb"\d"),
)
_DATE = re.compile(rb"(?<!\d)(?:" + rb"|".join(_BREAK.join(form) for form in _FORMS) + rb")(?!\d)")


def last_day_of(mark: Path, wanted: datetime | None) -> date:
    """Return the last day of the week, and note it in the demo's mark: a second run plays the same days."""
    if noted := mark.read_text(encoding="utf-8").strip() if mark.exists() else "":
        return date.fromisoformat(noted)
    day = wanted.date() if wanted else datetime.now(UTC).date() - timedelta(days=1)
    mark.write_text(day.isoformat(), encoding="utf-8")
    return day


def moved(raw: bytes, span: timedelta) -> bytes:
    """Return a message of the sample week with each of its dates later by whole days."""

    def move(found: re.Match[bytes]) -> bytes:
        broken = re.search(rb"=\r?\n", found[0])
        text = re.sub(rb"=\r?\n", b"", found[0]).decode("ascii")
        return _respelled(text, span).encode("ascii") + (broken[0] if broken else b"")

    return _DATE.sub(move, raw)


def _respelled(text: str, span: timedelta) -> str:
    """Return a later date in the same form."""
    number = re.findall(r"\d+", text)[2 if "-" in text else "/" in text]
    day = LAST_DAY.replace(day=int(number)) + span
    if "-" in text:
        return day.isoformat()
    if "/" in text:
        return f"{day.month}/{day.day}/{day.year}"
    weekday, month = f"{day:%A}, {day:%B}".split() if "November" in text else f"{day:%a}, {day:%b}".split()
    return f"{weekday if ',' in text else ''} {day.day:0{len(number)}} {month} {day.year}"
