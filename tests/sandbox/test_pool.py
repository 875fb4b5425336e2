"""Many messages on several processes: in order, bounded, and no message's fault is another's."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import cycle, islice
from typing import Any

import pytest

from bounce_watch.sandbox import pool
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.jobs import Job
from bounce_watch.sandbox.outcome import Limits
from bounce_watch.sandbox.pool import in_order
from bounce_watch.sandbox.process import ReadingProcess
from bounce_watch.sandbox.reader import IsolatedReader
from tests.pipeline.conftest import ndr

pytestmark = pytest.mark.slow

LETTERS = [ReadRequest(f"{number}.eml", ndr(number=number)) for number in range(400)]


def itself(request: ReadRequest) -> ReadRequest:
    return request


@pytest.mark.parametrize("here", [True, False], ids=["some read here", "all read elsewhere"])
@pytest.mark.parametrize("jobs", [1, 3])
def test_lines_come_in_the_order_of_the_messages(here: bool, jobs: int) -> None:
    with closing(in_order(LETTERS, itself, Job.LINES, jobs=jobs, here=here)) as answers:
        paths = [(request.name, json.loads(line)["path"]) for request, line in answers]
    assert paths == [(request.name, request.name) for request in LETTERS]


def test_with_two_jobs_this_process_is_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """One other is started; we read what it has no time for; the interpreter's pace is as before."""
    made: list[IsolatedReader] = []
    usual = sys.getswitchinterval()

    class Counted(IsolatedReader):
        asked = 0

        def ask(self, requests: Sequence[ReadRequest]) -> list[Any]:
            Counted.asked += len(requests)
            return super().ask(requests)

        def start(self, *, forked: bool = False) -> ReadingProcess:
            made.append(self)
            return super().start(forked=forked)

    monkeypatch.setattr(pool, "IsolatedReader", Counted)
    monkeypatch.setattr(pool, "HERE_SECONDS", 0)
    monkeypatch.setattr(pool, "BATCH_MESSAGES", 2)
    with closing(in_order(islice(cycle(LETTERS), 1500), itself, Job.LINES, jobs=2)) as answers:
        paths = [(request.name, json.loads(line)["path"]) for request, line in answers]
    assert paths == [(request.name, request.name) for request in islice(cycle(LETTERS), 1500)]
    assert len(set(made)) == 1
    assert 0 < Counted.asked < 1500
    assert sys.getswitchinterval() == usual


def test_a_fault_of_the_source_comes_behind_the_results_before_it() -> None:
    def breaking() -> Iterator[ReadRequest]:
        yield from LETTERS[:130]
        raise ConnectionResetError

    seen: list[str] = []
    answers = in_order(breaking(), itself, Job.READINGS, jobs=2, here=False)
    with pytest.raises(ConnectionResetError):
        seen.extend(request.name for request, _ in answers)
    assert seen == [request.name for request in LETTERS[:130]]


def test_only_a_few_batches_are_held() -> None:
    """Memory does not grow with the number of messages: the source is asked only as results leave."""
    given = 0

    def endless() -> Iterator[ReadRequest]:
        nonlocal given
        while True:
            given += 1
            yield LETTERS[0]

    with closing(in_order(endless(), itself, Job.READINGS, jobs=2, here=False)) as answers:
        for _ in range(100):
            next(answers)
    assert given <= 100 + (2 * 2 + 2) * pool.BATCH_MESSAGES


def test_a_batch_has_few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    class Counted(IsolatedReader):
        def ask(self, requests: Sequence[ReadRequest]) -> list[Any]:
            sizes.append(len(requests))
            return super().ask(requests)

    monkeypatch.setattr(pool, "IsolatedReader", Counted)
    big = [ReadRequest(str(number), b"x" * 400_000) for number in range(7)]
    with closing(in_order(big, itself, Job.READINGS, jobs=1, here=False)) as answers:
        assert len(list(answers)) == 7
    assert sizes == [2, 2, 2, 1]


def test_a_message_that_overruns_costs_no_other_its_reading() -> None:
    """One of many needs more memory than is allowed; its neighbours are read all the same."""
    heavy = ReadRequest("heavy", b"From: a@b.example\n\n" + b"x" * 150_000_000)
    requests = [*LETTERS[:20], heavy, *LETTERS[20:40]]
    limits = Limits(memory_bytes=160 * 1024 * 1024, wall_seconds=20)
    with closing(in_order(requests, itself, Job.READINGS, jobs=2, here=False, limits=limits)) as answers:
        kinds = [(request.name, isinstance(answer, tuple)) for request, answer in answers]
    assert kinds == [(request.name, request.name != "heavy") for request in requests]


def test_a_small_number_of_messages_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_process(*_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(pool, "IsolatedReader", no_process)
    monkeypatch.setattr(pool, "HERE_SECONDS", 60)
    assert len(list(in_order(LETTERS[:60], itself, Job.READINGS, jobs=2))) == 60
