"""What sources without folders have in common: there is nowhere to move a message to."""

from bounce_watch.source.interface import Locator


class ReadOnly:
    """Leaves every message where it is. Nothing is skipped unless the source says so."""

    skipped: list[tuple[str, str]]

    def __init__(self) -> None:
        self.skipped = []

    def __exit__(self, *exc: object) -> None:
        return None

    def file(self, locator: Locator) -> None:
        del locator

    def quarantine(self, locator: Locator) -> None:
        del locator
