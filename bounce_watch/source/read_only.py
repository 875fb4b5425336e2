"""What sources without folders have in common: there is nowhere to move a message to."""

from collections.abc import Callable, Hashable

from bounce_watch.source.interface import Locator, never
from bounce_watch.source.waiting import watch


class ReadOnly:
    """Leaves every message where it is. Nothing is skipped unless the source says so.

    `_before` is the mark of the place at the beginning of the last walk.
    """

    skipped: list[tuple[str, str]]
    reached: Locator | None = None

    def __init__(self) -> None:
        self.skipped = []
        self._before = self._mark()

    def __exit__(self, *exc: object) -> None:
        return None

    def _mark(self) -> Hashable:
        """Return something cheap that is another one when mail was added; None where none is ever added."""
        return None

    def wait(self, seconds: float, stop: Callable[[], bool] = never) -> bool:
        return watch(self._mark, self._before, seconds, stop)

    def file(self, *locators: Locator) -> None:
        del locators

    def quarantine(self, *locators: Locator) -> None:
        del locators
