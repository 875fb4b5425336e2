"""Doubles of a source and of the cycle's work, for tests of the loop alone."""

from collections.abc import Callable, Iterator, Sequence

from bounce_watch.daemon import MailboxOutcome, MailboxThread, Service, Stopper
from bounce_watch.model.check import Check
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.interface import Message, Source, Wanted, everything, never

Heard = list[tuple[str, float]]


class Quiet(Source):
    """An empty source that records its calls in `heard`."""

    def __init__(self, name: str, heard: Heard) -> None:
        self.name = name
        self.heard = heard

    def __enter__(self) -> "Quiet":
        self.heard.append(("open", 0))
        return self

    def __exit__(self, *exc: object) -> None:
        self.heard.append(("closed", 0))

    def count(self) -> int | None:
        return 0

    @property
    def skipped(self) -> Sequence[tuple[str, str]]:
        return ()

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        yield from ()

    @property
    def reached(self) -> MessageLocation | None:
        return None

    def file(self, *locations: MessageLocation) -> None: ...

    def quarantine(self, *locations: MessageLocation) -> None: ...

    def wait(self, seconds: float, stop: Callable[[], bool] = never) -> bool:
        self.heard.append(("wait", seconds))
        return True

    def diagnose(self) -> list[Check]:
        return []


class Played:
    """Work whose polls end with the given outcomes in turn; after the last one it stops the loop."""

    status = "played"

    def __init__(self, outcomes: Sequence[Exception | str], stopper: Stopper) -> None:
        self.left = list(outcomes)
        self.stopper = stopper
        self.ills: list[str] = []

    def check_mailbox(self, source: Source, progress: Callable[[], None]) -> MailboxOutcome:
        outcome = self.left.pop(0)
        if not self.left:
            self.stopper.set()
        if isinstance(outcome, Exception):
            raise outcome
        return MailboxOutcome.NEW

    def run_due_work(self) -> None: ...

    def seconds_until_due(self) -> float | None:
        return None

    def has_worked(self, mailbox: MailboxThread) -> bool:
        return False

    def on_success(self, mailbox: MailboxThread) -> None: ...

    def on_failure(self, mailbox: MailboxThread, fault: Exception) -> None:
        self.ills.append(str(fault))


def play(*outcomes: Exception | str) -> Heard:
    """Run polls of one mailbox with these outcomes; return the calls and waits that were recorded."""
    heard: Heard = []
    stopper = Stopper()

    def retry(faults: int) -> float:
        heard.append(("retry", min(faults, 10)))
        return 0.001

    mailbox = MailboxThread("played", Quiet("played", heard))
    Service([mailbox], Played(outcomes, stopper), stopper, poll=60, retry=retry).run()
    return heard
