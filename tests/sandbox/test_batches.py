"""Batches have few messages and few bytes, and lose nothing when their source fails."""

from collections.abc import Iterator

import pytest

from bounce_watch.sandbox.pool import batched


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([1] * 7, [3, 3, 1], id="few messages"),
        pytest.param([4, 4, 4, 4], [2, 2], id="few bytes"),
        pytest.param([5, 5, 1], [2, 1], id="just as many bytes as allowed"),
        pytest.param([1, 99, 1, 1], [1, 1, 2], id="a large one goes alone"),
    ],
)
def test_a_batch_has_few_messages_and_few_bytes(sizes: list[int], batches: list[int]) -> None:
    found = list(batched(sizes, int, most=3, most_bytes=10))
    assert [len(batch) for batch in found] == batches
    assert [size for batch in found for size in batch] == sizes


def test_what_came_before_a_fault_comes_out_first() -> None:
    def failing() -> Iterator[int]:
        yield from (1, 1, 1, 1)
        raise ConnectionError

    batches = batched(failing(), int, most=3, most_bytes=10)
    assert [next(batches), next(batches)] == [[1, 1, 1], [1]]
    with pytest.raises(ConnectionError):
        next(batches)
