"""Explain how a message was read and judged: each value, its position, and other possible readings."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bounce_watch.classify import Catalogue, Explanation, assess_evidence, explain, judge
from bounce_watch.explain.spans import Page, Sought, Span, find_span, pages_of
from bounce_watch.model import Bounce, Evidence, OriginalMessage, Reading, Report, Site
from bounce_watch.parse import read
from bounce_watch.parse.formats import FORMATS
from bounce_watch.unwrap import FoundReport, parse, unwrap
from bounce_watch.unwrap.envelopes import candidates

MAX_BOUNCES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of the reading. `span` is None for a derived value."""

    name: str
    value: str
    span: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFormat:
    """A later format that could read the report too."""

    name: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceTrace:
    """One bounce with the positions of its values, and the other meanings of its code and text."""

    bounce: Bounce
    values: tuple[Value, ...]
    chosen: Explanation | None
    rejected: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One explained reading. Only `reading` is set unless it is a report; evidence needs a site."""

    reading: Reading
    values: tuple[Value, ...] = ()
    other_formats: tuple[OtherFormat, ...] = ()
    bounces: tuple[BounceTrace, ...] = ()
    evidence: Evidence | None = None
    tests: tuple[tuple[str, str], ...] = ()


def _is_unknown(_original: OriginalMessage) -> bool:
    return False


def trace(
    raw: bytes,
    catalogue: Catalogue,
    site: Site | None,
    checked: Callable[[Reading], Reading] | None = None,
    is_known: Callable[[OriginalMessage], bool] = _is_unknown,
) -> tuple[Trace, ...]:
    """Explain every reading of a message.

    `checked` adds the check of our DKIM signature to a reading; `is_known` asks our own records.
    """
    readings = tuple(map(checked, read(raw))) if checked else read(raw)
    layers = list(_layers(raw)) if any(isinstance(reading, Report) for reading in readings) else []
    return tuple(
        _trace(reading, layers, catalogue, site, is_known)
        if isinstance(reading, Report)
        else Trace(reading=reading)
        for reading in readings
    )


def _layers(raw: bytes) -> Iterator[FoundReport]:
    for layer in unwrap(parse(raw)):
        yield layer
        yield from candidates(layer)


def _trace(
    report: Report,
    layers: list[FoundReport],
    catalogue: Catalogue,
    site: Site | None,
    is_known: Callable[[OriginalMessage], bool],
) -> Trace:
    layer = _take_layer(report, layers)
    pages = pages_of(layer) if layer else ()
    assessed = assess_evidence(report, site, is_known=is_known(report.original)) if site else None
    return Trace(
        reading=report,
        values=tuple(_values(_of_original(report), pages, report)),
        other_formats=_other_formats(report, layer) if layer else (),
        bounces=tuple(
            _bounce(bounce, pages, report, catalogue)
            for bounce in judge(report, catalogue, site, assessed)[:MAX_BOUNCES]
        ),
        evidence=assessed.evidence if assessed else None,
        tests=assessed.tests if assessed else (),
    )


def _take_layer(report: Report, layers: list[FoundReport]) -> FoundReport | None:
    """Remove and return the layer of a report, which is the first with the same recipients."""
    wanted = {entry.final_recipient for entry in report.recipients}
    form = next(form for form in FORMATS if report.format == form.NAME)
    for number, layer in enumerate(layers):
        found = form.read(layer)
        if found and {entry.final_recipient for entry in found.recipients} == wanted:
            return layers.pop(number)
    return None


def _other_formats(report: Report, layer: FoundReport) -> tuple[OtherFormat, ...]:
    readers = ((form.NAME, form.read(layer)) for form in FORMATS if report.format != form.NAME)
    return tuple(
        OtherFormat(name=name, recipients=tuple(entry.final_recipient or "" for entry in found.recipients))
        for name, found in readers
        if found
    )


def _values(sought: dict[str, Sought], pages: tuple[Page, ...], report: Report) -> Iterator[Value]:
    for name, one in sought.items():
        if one.value:
            yield Value(name=name, value=one.value, span=find_span(one, pages, report))


def _of_original(report: Report) -> dict[str, Sought]:
    original = report.original
    labels = {
        "sender": (original.sender, ("return-path", "from", "sender address", "x-postfix-sender", "sender")),
        "message id": (original.message_id, ("message-id", "in-reply-to", "references")),
        "subject": (original.subject, ("subject",)),
    }
    return {
        name: Sought(value=value or "", labels=names, in_original=True)
        for name, (value, names) in labels.items()
    }


def _bounce(bounce: Bounce, pages: tuple[Page, ...], report: Report, catalogue: Catalogue) -> BounceTrace:
    sought = {
        "recipient": Sought(value=bounce.recipient, labels=("final-recipient", "recipient address")),
        "original recipient": Sought(value=bounce.original_recipient or "", labels=("original-recipient",)),
        "status": Sought(value=bounce.status or "", labels=("status", "diagnostic-code")),
        "reply code": Sought(value=bounce.reply_code or "", labels=("diagnostic-code",)),
        "server's words": Sought(value=bounce.diagnostic_code or "", labels=("diagnostic-code",)),
        "inner status": Sought(value=bounce.remote_status or "", labels=("diagnostic-code",)),
        "inner reply code": Sought(value=bounce.remote_reply_code or "", labels=("diagnostic-code",)),
        "refusing server": Sought(value=bounce.remote_mta or "", labels=("remote-mta", "remote server")),
        "words that decided": Sought(value=_phrase(bounce.why), labels=("diagnostic-code",)),
    }
    meanings = explain(catalogue, _reply_text(bounce))
    return BounceTrace(
        bounce=bounce,
        values=tuple(_values(sought, pages, report)),
        chosen=next((one for one in meanings if one.name == bounce.entry), None),
        rejected=tuple(one for one in meanings if one.name != bounce.entry),
    )


def _phrase(why: str | None) -> str:
    match = re.match(r'text matched "(.{1,60})", chose', why or "")
    return match[1] if match else ""


def _reply_text(bounce: Bounce) -> str:
    codes = " ".join(filter(None, (bounce.reply_code, bounce.status)))
    words = bounce.diagnostic_code or ""
    return words if not codes or words.startswith(codes) else f"{codes} {words}".strip()
