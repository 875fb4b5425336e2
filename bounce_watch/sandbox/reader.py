"""Readers of messages: in a separate process, or in this one."""

from collections.abc import Sequence
from threading import Lock
from typing import Any, Protocol

from bounce_watch.parse import read
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.jobs import Job
from bounce_watch.sandbox.outcome import Limit, Limits, Outcome, Overrun
from bounce_watch.sandbox.process import ReadingProcess


class Reader(Protocol):
    """Reads one message after another. `close` ends its process; the next call starts it again.

    `abort` ends a call of another thread if possible.
    """

    def read(self, raw: bytes) -> Outcome: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...


class InProcess:
    """Reads in this process, without limits beyond those of the reader itself."""

    def read(self, raw: bytes) -> Outcome:
        return read(raw)

    def abort(self) -> None:
        """Do nothing: a call in this process cannot be ended."""

    def close(self) -> None:
        """Do nothing: no process was started."""


class IsolatedReader:
    """Reads in a process that starts with the first message and is replaced if a message exceeds a limit.

    Threads that call it at the same time take turns. Every call may raise ReaderUnavailable; no message is
    lost then.
    """

    def __init__(self, job: Job = Job.READINGS, limits: Limits | None = None) -> None:
        self._job = job
        self._limits = limits or Limits()
        self._process: ReadingProcess | None = None
        self._at_work: ReadingProcess | None = None
        self._turn = Lock()

    def read(self, raw: bytes) -> Outcome:
        outcome: Outcome = self.ask([ReadRequest("", raw)])[0]
        return outcome

    def ask(self, requests: Sequence[ReadRequest]) -> list[Any]:
        """Return for each request the result of the job, or its Overrun.

        If requests exceed a limit together, each is read alone, so that one bad message harms no other.
        Once one alone is starved too, the others are not tried.
        """
        answer = self._ask(requests)
        if not isinstance(answer, Overrun):
            return answer
        if len(requests) == 1:
            return [answer]
        answers: list[Any] = []
        for request in requests:
            is_starved = answers and isinstance(answers[-1], Overrun) and answers[-1].limit is Limit.STARVED
            answers.append(answers[-1] if is_starved else self.ask([request])[0])
        return answers

    def _ask(self, requests: Sequence[ReadRequest]) -> list[Any] | Overrun:
        with self._turn:
            process, self._process = self.start(), None
            self._at_work = process
            try:
                answer = process.ask(requests)
            finally:
                self._at_work = None
            if not isinstance(answer, Overrun):
                self._process = process
            return answer

    def start(self, *, forked: bool = False) -> ReadingProcess:
        """Start the process if it does not run."""
        if self._process is None:
            self._process = ReadingProcess(self._job, self._limits, forked=forked)
            _warn_of(self._process.unlimited)
        return self._process

    def abort(self) -> None:
        """Kill the process during a call of another thread, which then raises ReaderUnavailable."""
        process = self._at_work
        if process is not None:
            process.kill()

    def close(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


def _warn_of(unlimited: Sequence[str]) -> None:
    if unlimited:
        import structlog  # imported late: reading processes start without it

        structlog.get_logger().warning("reading_unlimited", missing=" ".join(unlimited))
