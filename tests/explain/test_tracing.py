"""Explaining a reading: each value leads back to the line that it was taken from."""

from pathlib import Path

import pytest

from bounce_watch.explain.spans import Page, Sought, find_span
from bounce_watch.explain.trace import Trace, Value, trace
from bounce_watch.model import NotAReport, Report, Unreadable
from bounce_watch.parse import read
from bounce_watch.sandbox.jobs import shipped_catalogue
from tests.pipeline.conftest import ndr

SAMPLES = sorted(Path(__file__).parents[1].joinpath("samples").rglob("*.eml"))


def traced(raw: bytes) -> Trace:
    (only,) = trace(raw, shipped_catalogue(), None)
    return only


def value(values: tuple[Value, ...], name: str) -> Value:
    return next(one for one in values if one.name == name)


def test_a_delivery_status_is_traced_to_field_line_and_column() -> None:
    (bounce,) = traced(ndr()).bounces
    span = value(bounce.values, "recipient").span
    assert span is not None
    assert (span.part, span.label, span.line, span.column) == (
        "part 2, message/delivery-status",
        "Final-Recipient",
        4,
        25,
    )
    assert span.text == "Final-Recipient: rfc822;nobody@fabrikam.example"
    code = value(bounce.values, "status").span
    assert code is not None
    assert (code.label, code.line) == ("Status", 6)


def test_the_bounced_sender_is_traced_to_the_returned_mail() -> None:
    span = value(traced(ndr()).values, "sender").span
    assert span is not None
    assert span.part == "part 3, text/rfc822-headers"
    assert span.label == "From"


def test_the_words_that_decided_and_the_meanings_that_lost_are_named() -> None:
    (bounce,) = traced(ndr()).bounces
    assert value(bounce.values, "words that decided").value == "RESOLVER.ADR.RecipientNotFound"
    assert bounce.chosen is not None
    assert bounce.chosen.name == bounce.bounce.entry
    assert bounce.rejected
    assert bounce.chosen.name not in {one.name for one in bounce.rejected}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_sample_can_be_explained_and_spans_hold_their_values(path: Path) -> None:
    """The readings are those of the reader, and what a span shows is in the line that it names."""
    raw = path.read_bytes()
    traces = trace(raw, shipped_catalogue(), None)
    assert tuple(one.reading for one in traces) == read(raw)
    values = [value for one in traces for value in one.values]
    values += [value for one in traces for bounce in one.bounces for value in bounce.values]
    for one in values:
        if one.span and len(one.span.text) < 150 and one.span.column < 100:
            assert one.value.split()[0].lower()[:60] in one.span.text.lower()


def test_most_recipients_of_the_samples_are_found() -> None:
    """A recipient is hardly ever worked out: where it stands can be shown."""
    found = [
        value(bounce.values, "recipient").span is not None
        for path in SAMPLES
        for one in trace(path.read_bytes(), shipped_catalogue(), None)
        for bounce in one.bounces
    ]
    assert len(found) > 50
    assert sum(found) >= 0.97 * len(found)


def test_what_is_no_report_is_explained_by_its_reason() -> None:
    assert isinstance(traced(b"Subject: hello\n\nbody").reading, NotAReport)
    assert isinstance(traced(b"").reading, Unreadable)


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("Status: 5.1.10\n", "5.1.1", None),
        ("at 192.0.2.15.1.1\nStatus: 5.1.1\n", "5.1.1", (2, 9, "Status")),
        ("Code: 550\n  more words\n  here", "more words here", (2, 3, "Code")),
        ("no label 550 here", "550", (1, 10, None)),
    ],
    ids=["a longer code", "part of an address", "a folded line", "running text"],
)
def test_values_are_found_where_they_stand_alone(
    text: str, value: str, found: tuple[int, int, str | None] | None
) -> None:
    report = next(one for one in read(ndr()) if isinstance(one, Report))
    span = find_span(
        Sought(value=value, labels=("status",)), [Page(name="part 1, text/plain", text=text)], report
    )
    assert (span and (span.line, span.column, span.label)) == found
