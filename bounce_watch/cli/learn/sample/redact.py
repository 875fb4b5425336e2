"""Make a redacted copy of a bounce, and say whether it reads the same and what is left of names in it."""

from dataclasses import dataclass

from bounce_watch.classify import judge
from bounce_watch.cli.learn.sample.message import rebuilt
from bounce_watch.cli.learn.sample.names import NameRedaction, display_names, domains_in, locals_in
from bounce_watch.model import Bounce, Reading, Report
from bounce_watch.parse import read
from bounce_watch.sandbox.jobs import shipped_catalogue


@dataclass(frozen=True, slots=True)
class Sample:
    """A redacted message. `differs` names what reads differently, `left` what still identifies people."""

    content: bytes
    differs: tuple[str, ...]
    left: tuple[str, ...]


def redacted(raw: bytes) -> Sample:
    """Return the redacted copy of a message. Never raises for what a message holds."""
    text, readings = texts_of(raw), read(raw)
    names = [*display_names(text), *locals_in(text)]
    subjects = [one.original.subject or "" for one in readings if isinstance(one, Report)]
    redaction = NameRedaction(domains_in(text), names, subjects)
    content = rebuilt(raw, redaction.text)
    differs = () if facts(read(content)) == facts(readings) else ("it reads differently",)
    return Sample(content, differs, tuple(redaction.left_in(texts_of(content))))


def texts_of(raw: bytes) -> str:
    """Return every value and every text of a message as they are read."""
    seen: list[str] = []

    def note(text: str) -> str:
        seen.append(text)
        return text

    rebuilt(raw, note)
    return "\n".join(seen)


def facts(readings: tuple[Reading, ...]) -> list[object]:
    """Return what must stay the same: kinds, envelopes, and all but the names of each bounce."""
    return [_facts(one) for one in readings]


def _facts(reading: Reading) -> object:
    if not isinstance(reading, Report):
        return type(reading).__name__
    bounces = judge(reading, shipped_catalogue(), None)
    return reading.kind, reading.envelopes, [_verdict(one) for one in bounces]


def _verdict(bounce: Bounce) -> object:
    codes = (bounce.action, bounce.status, bounce.reply_code, bounce.remote_status, bounce.remote_reply_code)
    return codes, bounce.cause, bounce.owner, bounce.persistence, bounce.side, bounce.certainty
