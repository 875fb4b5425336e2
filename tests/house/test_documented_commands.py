"""Every shell block of the documents is run by a test, or says why none runs it."""

import pytest

from tests.documented import Block, blocks, pages, steps
from tests.endtoend import test_half_hour
from tests.house import test_installed_service, test_wheel

SHELL = [block for page in pages() for block in blocks(page) if block.language in {"sh", "console"}]
RUN = (*test_half_hour.STEPS, *test_installed_service.STEPS, *test_wheel.STEPS)


@pytest.mark.parametrize("block", SHELL, ids=lambda block: f"{block.page}:{block.line}")
def test_a_block_names_its_step_or_the_reason_why_it_is_not_run(block: Block) -> None:
    """Without one, nobody would notice that a command no longer works as the page says."""
    assert block.step or block.reason


def test_every_step_that_the_documents_name_is_run() -> None:
    assert set(steps()) == set(RUN)
    assert len(RUN) == len(set(RUN))
