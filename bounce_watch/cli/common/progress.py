"""Progress on stderr for long work; nothing without a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from bounce_watch.cli.common.output import talk


@contextmanager
def counting(title: str, total: int | None, *, silent: bool = False) -> Iterator[Callable[[], None]]:
    """Show a bar for `total` steps (None: unknown) and yield the function that advances it by one.

    `silent`: show no bar, because rows appear on the same terminal meanwhile.
    """

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = silent or not talk().is_terminal
    with Progress(*columns, console=talk(), transient=True, disable=hidden) as bar:
        task = bar.add_task(title, total=total)
        yield (lambda: None) if hidden else (lambda: bar.advance(task))


@contextmanager
def waiting(title: str) -> Iterator[None]:
    """Show that one long step is running."""
    if not talk().is_terminal:
        yield
        return
    with talk().status(f"{title} …"):
        yield


@contextmanager
def measuring(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar and yield the function that sets it to `done` of `total`."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=talk(), transient=True, disable=not talk().is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
