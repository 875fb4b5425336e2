"""Find the part, line and column of a value in a message.

The reader keeps no positions, because only `explain` needs them, so the value is searched for. Lines and
columns count from 1 in the decoded text of a part.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from bounce_watch.model import Report
from bounce_watch.unwrap import FoundReport, Headers, Part
from bounce_watch.unwrap.found_report import DELIVERY_STATUS
from bounce_watch.unwrap.mime.limits import MAX_TEXT
from bounce_watch.unwrap.mime.text import decode

MAX_SHOWN = 160
MAX_SPANS = 50
_MOST_WORDS = 12
_LABEL = re.compile(r"[ \t>*|-]{0,12}([^\s:][^:\n]{0,60}?)[ \t]{0,8}:")
_CODE = re.compile(r"[245]\d\d|[245]\.\d{1,3}\.\d{1,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The text of one part or header, with its name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The position of a value. `label` is the field name or label before it, None in running text."""

    part: str
    line: int
    column: int
    label: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A value to find, the labels that usually precede it, and whether it is of the returned message."""

    value: str
    labels: tuple[str, ...] = ()
    in_original: bool = False


def pages_of(layer: FoundReport) -> tuple[Page, ...]:
    """Return the texts of a report in the order of its parts, its header last."""
    pages = []
    if layer.inline is not None:
        pages.append(Page(name="the text pasted into the mail", text=layer.inline))
    for number, part in enumerate(layer.leaves, 1):
        text = _text_of(part, layer)
        if text:
            pages.append(Page(name=f"part {number}, {part.content_type}", text=text))
    return (*pages, Page(name="the report's header", text=_as_lines(layer.headers)))


def _text_of(part: Part, layer: FoundReport) -> str:
    if part is layer.returned:
        return _as_lines(layer.returned_headers or Headers([]))
    if part.content_type in DELIVERY_STATUS:
        return decode(part.content[: 8 * MAX_TEXT]).replace("\r\n", "\n").replace("\r", "\n")
    return part.text if part.content_type.startswith(("text/", "multipart/", "message/")) else ""


def _as_lines(headers: Headers) -> str:
    return "\n".join(f"{name.title()}: {value}" for name in headers.names() for value in headers.every(name))


def find_span(sought: Sought, pages: Iterable[Page], report: Report) -> Span | None:
    """Return the position behind one of the value's labels, else the first position.

    None means that the value was derived, such as a status from a reply code.
    """
    found = [span for page in _in_order(pages, sought, report) for span in _spans(sought, page)]
    labelled = (span for span in found if span.label and span.label.lower() in sought.labels)
    return next(labelled, found[0] if found else None)


def _in_order(pages: Iterable[Page], sought: Sought, report: Report) -> list[Page]:
    """Return the pages in the order in which the reader uses them for a value."""

    def rank(page: Page) -> int:
        is_returned = "rfc822" in page.name or "global" in page.name
        if sought.in_original:
            return 0 if is_returned else 1
        is_status = "delivery-status" in page.name
        return 3 if is_returned else (0 if is_status and report.format == "rfc3464" else 1)

    return sorted(pages, key=rank)


def _spans(sought: Sought, page: Page) -> Iterator[Span]:
    for match in islice(_pattern(sought.value).finditer(page.text), MAX_SPANS):
        start = page.text.rfind("\n", 0, match.start()) + 1
        end = page.text.find("\n", match.start())
        line = page.text[start : end if end >= 0 else len(page.text)]
        yield Span(
            part=page.name,
            line=page.text.count("\n", 0, start) + 1,
            column=match.start() - start + 1,
            label=_label_of(page.text, start, match.start() - start),
            text=line.strip()[:MAX_SHOWN],
        )


def _label_of(text: str, start: int, column: int) -> str | None:
    """Return the label before a column; a folded line has the label of the line that it continues."""
    line = text[start : text.find("\n", start) if "\n" in text[start:] else len(text)]
    match = _LABEL.match(line)
    if match and match.end() <= column:
        return match[1].strip("* ")
    if line[:1] in (" ", "\t") and start > 1:
        before = text.rfind("\n", 0, start - 1) + 1
        return _label_of(text, before, start - before)
    return None


def _pattern(value: str) -> "re.Pattern[str]":
    """Match a value's words across line breaks; a code must not be part of a longer number."""
    words = value.split()[:_MOST_WORDS]
    text = r"\s{1,40}".join(re.escape(word[:200]) for word in words)
    if _CODE.fullmatch(value):
        text = rf"(?<![\d.]){text}(?![\d]|\.\d)"
    return re.compile(text or r"(?!)", re.IGNORECASE)
