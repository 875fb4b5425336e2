"""Many messages on all cores: read in several processes, handed on in the order they came."""

import os
import queue
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import Any, TypeVar

from bounce_watch.sandbox.fork import can_fork
from bounce_watch.sandbox.frames import ReadRequest, batched
from bounce_watch.sandbox.jobs import Job, work_of
from bounce_watch.sandbox.outcome import Limits
from bounce_watch.sandbox.reader import IsolatedReader

T = TypeVar("T")
Batch = list[tuple[T, ReadRequest]]

BATCH_MESSAGES = 96
BATCH_BYTES = 1024 * 1024
LARGE = 256 * 1024
"""Bytes from which a message is never read in this process."""
HERE_SECONDS = 0.1
"""What is done by then needs no other process."""
SWITCH_SECONDS = 0.0005
"""How long a process waits for us to hand it more when we read ourselves: a tenth of the usual."""


def cores() -> int:
    """Return how many processors we may use."""
    return len(os.sched_getaffinity(0))


def in_order(
    items: Iterable[T],
    request_of: Callable[[T], ReadRequest],
    job: Job,
    *,
    jobs: int,
    here: bool = True,
    limits: Limits | None = None,
) -> Generator[tuple[T, Any], None, None]:
    """Yield each item with what the job makes of it, or its Overrun, in the order of the items.

    With `here`, this process is one of the jobs and does what is small; the others, copies of it where that
    is sound, start only when the first tenth of a second was not enough, and never for one job. Without, it
    touches no message. At most a few batches are held at a time. What `items` raises is raised behind the
    results before it.
    """
    batches = _batched(items, request_of)
    if here:
        do, until = work_of(job), time.monotonic() + HERE_SECONDS
        for batch in batches:
            if jobs > 1 and (time.monotonic() >= until or _is_large(batch)):
                batches = chain([batch], batches)
                break
            yield from _here(batch, do)
        else:
            return
    yield from _on_all_cores(batches, job, jobs, limits, here=here)


def read_ahead(
    reader: IsolatedReader, items: Iterable[T], request_of: Callable[[T], ReadRequest]
) -> Generator[tuple[T, Any], None, None]:
    """Yield each item with what a reader that is kept makes of it, in order.

    While the results of one batch are used the reader has the next. Faults are raised as by `in_order`.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as threads, ExitStack() as stack:
        stack.callback(threads.shutdown, wait=True, cancel_futures=True)
        batches = _batched(items, request_of)
        yield from _in_turn(batches, lambda batch: threads.submit(_ask_one, reader, batch), depth=2)


def _ask_one(reader: IsolatedReader, batch: Batch[T]) -> list[Any]:
    return reader.ask([request for _, request in batch])


def _is_large(batch: Batch[T]) -> bool:
    return any(len(request.raw) > LARGE for _, request in batch)


def _here(batch: Batch[T], do: Callable[[ReadRequest], Any]) -> Iterator[tuple[T, Any]]:
    return ((item, do(request)) for item, request in batch)


def _batched(items: Iterable[T], request_of: Callable[[T], ReadRequest]) -> Iterator[Batch[T]]:
    requests = ((item, request_of(item)) for item in items)
    return batched(requests, _size_of, most=BATCH_MESSAGES, most_bytes=BATCH_BYTES)


def _size_of(one: tuple[object, ReadRequest]) -> int:
    return len(one[1].raw)


def _on_all_cores(
    batches: Iterator[Batch[T]], job: Job, jobs: int, limits: Limits | None, *, here: bool
) -> Iterator[tuple[T, Any]]:
    others = jobs - 1 if here and jobs > 1 else jobs
    idle: queue.SimpleQueue[IsolatedReader] = queue.SimpleQueue()
    readers = [IsolatedReader(job, limits) for _ in range(others)]
    with ExitStack() as stack:
        for reader in readers:
            stack.callback(reader.close)
        forked = here and can_fork()
        if forked:
            for reader in readers:
                reader.start(forked=True)
        threads = stack.enter_context(ThreadPoolExecutor(others, thread_name_prefix="reading"))
        stack.callback(threads.shutdown, wait=True, cancel_futures=True)
        started = [threads.submit(_start, reader, idle) for reader in readers]
        do = None
        if here:
            do = work_of(job)
            stack.enter_context(_quick_switches())
            if not forked:
                batches = yield from _until_started(batches, do, started)
        yield from _in_turn(batches, lambda batch: threads.submit(_ask, idle, batch), 2 * others, do)


@contextmanager
def _quick_switches() -> Iterator[None]:
    """Let the threads that feed the others in soon: they need us briefly, and waiting idles a process."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _until_started(
    batches: Iterator[Batch[T]], do: Callable[[ReadRequest], Any], started: "list[Future[None]]"
) -> Generator[tuple[T, Any], None, Iterator[Batch[T]]]:
    """Work here while the processes start; return what is left."""
    for batch in batches:
        if _is_large(batch) or any(one.done() for one in started):
            return chain([batch], batches)
        yield from _here(batch, do)
    return batches


def _start(reader: IsolatedReader, idle: "queue.SimpleQueue[IsolatedReader]") -> None:
    try:
        reader.start()
    finally:
        idle.put(reader)


def _ask(idle: "queue.SimpleQueue[IsolatedReader]", batch: Batch[T]) -> list[Any]:
    reader = idle.get()
    try:
        return reader.ask([request for _, request in batch])
    finally:
        idle.put(reader)


def _in_turn(
    batches: Iterable[Batch[T]],
    submit: "Callable[[Batch[T]], Future[list[Any]]]",
    depth: int,
    do: Callable[[ReadRequest], Any] | None = None,
) -> Iterator[tuple[T, Any]]:
    """Keep `depth` batches at work; hand on the oldest first, and a fault of `batches` behind them all.

    With `do`, this process reads a small batch itself while the others have enough and the oldest runs.
    """
    at_work: deque[tuple[Batch[T], Future[list[Any]]]] = deque()
    coming, fault = iter(batches), None
    while True:
        while at_work and (at_work[0][1].done() or len(at_work) >= _most(depth, do)):
            yield from _results(*at_work.popleft())
        try:
            batch = next(coming, None)
        except Exception as error:  # noqa: BLE001 - raised again below
            batch, fault = None, error
        if batch is None:
            break
        waiting = sum(not answers.done() for _, answers in at_work)
        is_ours = do is not None and waiting >= depth and not _is_large(batch)
        at_work.append((batch, _done_here(batch, do) if do and is_ours else submit(batch)))
    while at_work:
        yield from _results(*at_work.popleft())
    if fault:
        raise fault


def _most(depth: int, do: object) -> int:
    """Return how many batches are held: those done here wait for the older ones of the others."""
    return depth if do is None else 2 * depth + 1


def _done_here(batch: Batch[T], do: Callable[[ReadRequest], Any]) -> "Future[list[Any]]":
    answers: Future[list[Any]] = Future()
    answers.set_result([do(request) for _, request in batch])
    return answers


def _results(batch: Batch[T], answers: "Future[list[Any]]") -> Iterator[tuple[T, Any]]:
    for (item, _), answer in zip(batch, answers.result(), strict=True):
        yield item, answer
