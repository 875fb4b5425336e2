"""Progress on stderr for work that takes a while; silent when nobody looks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(title: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Show a bar for `total` steps (None: unknown) and give the function that makes one step."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from bounce_watch.cli.output import talk

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=talk(), transient=True, disable=not talk().is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)
