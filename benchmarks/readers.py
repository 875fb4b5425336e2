"""What is measured: our own reader and judge, and four readers that do less."""

import email
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import mailparser
from flufl.bounce import scan_message

from bounce_watch import shipped_files
from bounce_watch.classify import Catalogue, cause, judge, load_catalogue, refusal_details, word_votes
from bounce_watch.model import Bounce, Report
from bounce_watch.parse import read, smtp_reply
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.jobs import Job
from bounce_watch.sandbox.pool import cores, in_order
from bounce_watch.unwrap import provenance

KEPT = {
    "verdicts": cause._decide,
    "clauses": word_votes._read,
    "details": refusal_details._find_details,
    "authors": provenance._is_a_mail_system,
}
"""What our reader remembers from one message to the next."""


def forget() -> None:
    """Drop all that, and the replies taken apart, which one judgement asks for several times."""
    for kept in (*KEPT.values(), smtp_reply.read_words):
        kept.cache_clear()


@cache
def catalogue() -> Catalogue:
    return load_catalogue(shipped_files.catalogue_text())


def bounces_of(raw: bytes) -> list[Bounce]:
    """Do what the service does with a message before it touches the store."""
    reports = (reading for reading in read(raw) if isinstance(reading, Report))
    return [bounce for report in reports for bounce in judge(report, catalogue(), None)]


def take_apart_flufl(raw: bytes) -> None:
    """Read with flufl.bounce, which fails on some mail, for instance on an empty From field."""
    try:
        scan_message(email.message_from_bytes(raw))
    except Exception:  # noqa: BLE001 - what it fails on costs time too
        return


def take_apart_mailparser(raw: bytes) -> None:
    """Read with mail-parser, which refuses what does not look like mail."""
    try:
        _ = mailparser.parse_from_bytes(raw).body
    except Exception:  # noqa: BLE001 - what it refuses costs time too
        return


def one_by_one(action: Callable[[bytes], object]) -> Callable[[Sequence[bytes]], None]:
    def run(messages: Sequence[bytes]) -> None:
        for raw in messages:
            action(raw)

    return run


def run_lines(jobs: int) -> Callable[[Sequence[bytes]], None]:
    """Read, judge and write lines of JSON as `parse --json` does, in so many processes."""

    def run(messages: Iterable[bytes]) -> None:
        for _ in in_order(messages, lambda raw: ReadRequest("-", raw), Job.LINES, jobs=jobs):
            pass

    return run


OURS = "bounce_watch: read and judge"
ALONE = "email.message_from_bytes alone"
READERS: dict[str, Callable[[Sequence[bytes]], None]] = {
    OURS: one_by_one(bounces_of),
    "bounce_watch: read alone": one_by_one(read),
    "bounce_watch: lines of JSON, 1 process": run_lines(1),
    f"bounce_watch: lines of JSON, {cores()} cores": run_lines(cores()),
    ALONE: one_by_one(email.message_from_bytes),
    "flufl.bounce (with email)": one_by_one(take_apart_flufl),
    "mail-parser": one_by_one(take_apart_mailparser),
}
SLOW = {"flufl.bounce (with email)", "mail-parser"}
"""Of a large feed these read every tenth message."""
