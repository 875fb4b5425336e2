"""`explain FILE`: what was read in a message and where, what was rejected, who would get a reply."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bounce_watch.classify import decision_in
from bounce_watch.cli.common.output import aligned, emit_json, print_prose
from bounce_watch.config.load import load_optional_config
from bounce_watch.config.models import Config
from bounce_watch.explain.letterhead import Letterhead, letterhead
from bounce_watch.explain.trace import BounceTrace, Trace, Value, trace
from bounce_watch.model import OriginalMessage, Report
from bounce_watch.notifications.gate.values import SENTENCES
from bounce_watch.notifications.rendering.labels import CERTAINTIES, label_of
from bounce_watch.notifications.rendering.refusal_details import evidence_lines
from bounce_watch.pipeline.context import read_catalogue, signatures_of, utc_now
from bounce_watch.pipeline.replies.preview import ReplyPreview, preview_reply
from bounce_watch.sandbox.jobs import shipped_catalogue
from bounce_watch.source import Message
from bounce_watch.source.local.files import FilesSource
from bounce_watch.store import StoreError, open_store, store_location

Lines = Iterator[tuple[str, str]]
_OUTCOMES = {"allowed": "it would be sent", "held": "it would be held until released"}


def explain_file(path: Path, config_path: Path | None, *, as_json: bool, evidence: bool) -> None:
    """Explain each report in a message; with a configuration also its evidence and who gets a reply."""
    config = load_optional_config(config_path)
    catalogue = read_catalogue(config) if config else shipped_catalogue()
    with FilesSource(path) as source:
        message = next(iter(source.messages()), None)
        if message is None:
            raise OSError(f"{path} cannot be opened: {source.skipped[0][1]}")
    head = letterhead(message.raw)
    if not as_json and head:
        _print_section("The mail as it lies in the mailbox", _letterhead(head))
    site, signatures = (config.site, signatures_of(config)) if config else (None, None)
    checked = signatures.checked if signatures else None
    is_known = partial(_is_known, config)
    for number, one in enumerate(trace(message.raw, catalogue, site, checked, is_known), 1):
        answer = _answer(config, one, message) if config else None
        if as_json:
            emit_json({**_as_object(path, one, answer), "letterhead": asdict(head) if head else None})
        else:
            title = f"{path}" + (f", report {number}" if number > 1 else "")
            _print(title, one, answer, has_config=config is not None, evidence=evidence)


def _letterhead(head: Letterhead) -> Lines:
    values = (("From", head.sender), ("To", head.to), ("Subject", head.subject), ("Date", head.date))
    yield from ((label, value) for label, value in values if value)
    for place, hop in enumerate(head.hops):
        yield "Came through" if place == 0 else "", hop


def _is_known(config: Config | None, original: OriginalMessage) -> bool:
    """Tell whether our Exchange reported on the original message before; False without a store."""
    try:
        if config is not None:
            with open_store(store_location(config.store), read_only=True) as store:
                return store.messages.has_internal_report(original)
    except StoreError:
        pass
    return False


def _answer(config: Config, one: Trace, message: Message) -> ReplyPreview | None:
    if not isinstance(one.reading, Report):
        return None
    given: dict[str, Any] = {"evidence": one.evidence, "received_at": message.received_at, "now": utc_now()}
    bounces = tuple(traced.bounce for traced in one.bounces)
    try:
        with open_store(store_location(config.store), read_only=True) as store:
            return preview_reply(config, one.reading, bounces, store=store, **given)
    except StoreError:
        return preview_reply(config, one.reading, bounces, store=None, **given)


def _as_object(path: Path, one: Trace, answer: ReplyPreview | None) -> dict[str, Any]:
    reading = {"type": type(one.reading).__name__, **asdict(one.reading)}
    reading.get("original", {}).pop("signed_headers", None)
    return {
        "path": str(path),
        "reading": reading,
        "values": [asdict(value) for value in one.values],
        "other_formats": [asdict(other) for other in one.other_formats],
        "bounces": [asdict(traced) for traced in one.bounces],
        "evidence": one.evidence,
        "decided_by": decision_in(one.tests),
        "tests": [list(test) for test in one.tests],
        "answer": asdict(answer) if answer else None,
    }


def _print(title: str, one: Trace, answer: ReplyPreview | None, *, has_config: bool, evidence: bool) -> None:
    _print_section(title, _reading(one))
    if not isinstance(one.reading, Report):
        return
    _print_section("The mail that came back", _values(one.values))
    for traced in one.bounces:
        _print_section(f"To {traced.bounce.recipient}", _bounce(traced))
    if has_config:
        decided = (("Decided by", decision_in(one.tests) or ""),)
        _print_section(f"How far it is believed: {one.evidence}", one.tests if evidence else decided)
        _print_section("Who would be answered", _told(answer))
    else:
        hint = "give --config to see how far it is believed and who would be answered"
        _print_section("Without a configuration", [("", hint)])


def _print_section(title: str, pairs: Iterable[tuple[str, str]]) -> None:
    print_prose([title, *(f"  {line}".rstrip() for line in aligned(list(pairs))), ""])


def _reading(one: Trace) -> Lines:
    reading = one.reading
    if not isinstance(reading, Report):
        yield "Read as", getattr(reading, "kind", "unreadable")
        yield "Because", reading.reason
        return
    yield "Read as", reading.kind
    inside = " in ".join(["the report", *reversed(reading.envelopes)])
    yield "Came in", inside if reading.envelopes else "bare"
    if reading.forwarded_by:
        yield "Forwarded by", reading.forwarded_by
    yield "Format", f"{reading.format}, the first in order that read it"
    for other in one.other_formats:
        yield "Not asked", f"{other.name}, it would read {', '.join(other.recipients[:3])}"


def _values(values: Sequence[Value]) -> Lines:
    for value in values:
        yield value.name.capitalize(), value.value[:120]
        if value.span is None:
            yield "", "  worked out: it does not stand there as such"
        else:
            span = value.span
            label = f"behind {span.label!r}, " if span.label else ""
            yield "", f"  {label}line {span.line}, column {span.column} of {span.part}"


def _bounce(traced: BounceTrace) -> Lines:
    bounce = traced.bounce
    yield from _values(traced.values)
    yield "Action", f"{bounce.action} ({bounce.persistence})"
    yield "Cause", f"{bounce.cause}, {bounce.owner} must act"
    if bounce.certainty:
        yield "Certainty", CERTAINTIES[bounce.certainty]
    yield "Why so", bounce.why or ""
    yield from (("", line) for line in evidence_lines(bounce.details))
    if traced.chosen:
        yield "Meaning", f"{traced.chosen.name}: {traced.chosen.title}"
    for other in traced.rejected:
        yield "Not chosen", f"{other.name}: {other.title} ({other.why})"


def _told(answer: ReplyPreview | None) -> Lines:
    if answer is None:
        yield "Nobody", "nothing in it failed"
        return
    yield "To", answer.to or "nobody: the report names no sender"
    yield "Outcome", _OUTCOMES.get(answer.outcome, f"not sent: {label_of(answer.outcome)}")
    if not answer.with_history:
        yield "History", "there is no store here, so what was written before was not looked at"
    for reason, hits in answer.checks:
        yield reason.replace("_", " "), SENTENCES[reason] if hits else "passed"
