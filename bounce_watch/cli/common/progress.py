"""Progress on stderr for long work; nothing without a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from bounce_watch.cli.common.output import talk


@contextmanager
def _bar(
    title: str, total: int | None, figure: ProgressColumn, *, hidden: bool
) -> Iterator[tuple[Progress, TaskID]]:
    columns = (TextColumn("{task.description}"), BarColumn(), figure, TimeElapsedColumn())
    with Progress(*columns, console=talk(), transient=True, disable=hidden) as bar:
        yield bar, bar.add_task(title, total=total)


@contextmanager
def counting(title: str, total: int | None, *, silent: bool = False) -> Iterator[Callable[[], None]]:
    """Show a bar for `total` steps (None: unknown) and yield the function that advances it by one.

    `silent`: show no bar, because rows appear on the same terminal meanwhile.
    """
    hidden = silent or not talk().is_terminal
    with _bar(title, total, MofNCompleteColumn(), hidden=hidden) as (bar, task):
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
def adding_up(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar and yield the function that adds a portion to what is done of `total`."""
    with _bar(title, total, TaskProgressColumn(), hidden=not talk().is_terminal) as (bar, task):
        yield lambda portion: bar.advance(task, portion)


@contextmanager
def measuring(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar and yield the function that sets it to `done` of `total`."""
    with _bar(title, None, TaskProgressColumn(), hidden=not talk().is_terminal) as (bar, task):
        yield lambda done, total: bar.update(task, completed=done, total=total)
