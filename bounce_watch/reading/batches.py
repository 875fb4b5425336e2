"""Messages in batches of few messages and few bytes."""

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

T = TypeVar("T")


def batched(
    items: Iterable[T], size_of: Callable[[T], int], *, most: int, most_bytes: int
) -> Generator[list[T], None, None]:
    """Yield items in their order, at most so many and so many bytes together; one that is larger goes alone.

    What `items` raises is raised behind the batch before it.
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
