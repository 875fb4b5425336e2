"""Read many messages on all cores, in several processes, and return the results in order."""

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
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.jobs import Job, work_of
from bounce_watch.sandbox.outcome import Limits
from bounce_watch.sandbox.reader import IsolatedReader

T = TypeVar("T")
Batch = list[tuple[T, ReadRequest]]

BATCH_MESSAGES = 96
BATCH_BYTES = 1024 * 1024
LARGE = 256 * 1024
"""Size in bytes from which a message is never read in this process."""
HERE_SECONDS = 0.1
"""Time after which other processes are started."""
SWITCH_SECONDS = 0.0005
"""How long our threads wait for each other while this process reads too: a tenth of the default."""


def cores() -> int:
    """Return the number of processors that we may use."""
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
    """Yield each item with the result of the job, or its Overrun, in the order of the items.

    With `here`, this process is one of `jobs` and reads small messages. The other processes start only after
    a tenth of a second, forked from this one if possible, and never for one job. Without `here`, this process
    reads no message. Only a few batches are held at a time. An exception of `items` is raised after the
    results before it.
    """
    batches = _batched(items, request_of)
    if here:
        do, until = work_of(job), time.monotonic() + HERE_SECONDS
        for batch in batches:
            if jobs > 1 and (time.monotonic() >= until or _is_large(batch)):
                batches = chain([batch], batches)
                break
            yield from _read_here(batch, do)
        else:
            return
    yield from _on_all_cores(batches, job, jobs, limits, here=here)


def read_ahead(
    reader: IsolatedReader, items: Iterable[T], request_of: Callable[[T], ReadRequest]
) -> Generator[tuple[T, Any], None, None]:
    """Yield each item with the reader's result, in order.

    The reader works on the next batch while the caller uses the results of one. Exceptions are raised as by
    `in_order`.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as threads, ExitStack() as stack:
        stack.callback(threads.shutdown, wait=True, cancel_futures=True)
        batches = _batched(items, request_of)
        yield from _in_turn(
            batches, lambda batch: threads.submit(reader.ask, [request for _, request in batch]), depth=2
        )


def _is_large(batch: Batch[T]) -> bool:
    return any(len(request.raw) > LARGE for _, request in batch)


def _read_here(batch: Batch[T], do: Callable[[ReadRequest], Any]) -> Iterator[tuple[T, Any]]:
    return ((item, do(request)) for item, request in batch)


def _batched(items: Iterable[T], request_of: Callable[[T], ReadRequest]) -> Iterator[Batch[T]]:
    requests = ((item, request_of(item)) for item in items)
    return batched(requests, lambda one: len(one[1].raw), most=BATCH_MESSAGES, most_bytes=BATCH_BYTES)


def batched(
    items: Iterable[T], size_of: Callable[[T], int], *, most: int, most_bytes: int
) -> Generator[list[T], None, None]:
    """Yield items in batches of at most `most` items and `most_bytes`; a larger item is a batch of its own.

    An exception of `items` is raised after the batch before it.
    """
    batch: list[T] = []
    size = 0
    try:
        for item in items:
            more = size_of(item)
            if batch and (len(batch) >= most or size + more > most_bytes):
                yield batch
                batch, size = [], 0
            batch.append(item)
            size += more
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


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
            stack.enter_context(_fast_thread_switches())
            if not forked:
                batches = yield from _until_started(batches, do, started)
        yield from _in_turn(batches, lambda batch: threads.submit(_ask, idle, batch), 2 * others, do)


@contextmanager
def _fast_thread_switches() -> Iterator[None]:
    """Switch threads often, so that the threads that feed the other processes run soon."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _until_started(
    batches: Iterator[Batch[T]], do: Callable[[ReadRequest], Any], started: "list[Future[None]]"
) -> Generator[tuple[T, Any], None, Iterator[Batch[T]]]:
    """Read in this process while the others start; return the remaining batches."""
    for batch in batches:
        if _is_large(batch) or any(one.done() for one in started):
            return chain([batch], batches)
        yield from _read_here(batch, do)
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
    """Keep `depth` batches in progress; yield the oldest results first, an exception of `batches` last.

    With `do`, this process reads a small batch itself while the other processes are busy.
    """
    in_progress: deque[tuple[Batch[T], Future[list[Any]]]] = deque()
    coming, fault = iter(batches), None
    while True:
        while in_progress and (in_progress[0][1].done() or len(in_progress) >= _most(depth, do)):
            yield from _results(*in_progress.popleft())
        try:
            batch = next(coming, None)
        except Exception as error:  # noqa: BLE001 - raised again below
            batch, fault = None, error
        if batch is None:
            break
        waiting = sum(not answers.done() for _, answers in in_progress)
        is_ours = do is not None and waiting >= depth and not _is_large(batch)
        in_progress.append((batch, _done_read_here(batch, do) if do and is_ours else submit(batch)))
    while in_progress:
        yield from _results(*in_progress.popleft())
    if fault:
        raise fault


def _most(depth: int, do: object) -> int:
    """Return how many batches are held; results of this process wait for older ones of the others."""
    return depth if do is None else 2 * depth + 1


def _done_read_here(batch: Batch[T], do: Callable[[ReadRequest], Any]) -> "Future[list[Any]]":
    answers: Future[list[Any]] = Future()
    answers.set_result([do(request) for _, request in batch])
    return answers


def _results(batch: Batch[T], answers: "Future[list[Any]]") -> Iterator[tuple[T, Any]]:
    for (item, _), answer in zip(batch, answers.result(), strict=True):
        yield item, answer
