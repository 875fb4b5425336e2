"""One pair of servers and proxies for all faults of a module."""

from collections.abc import Iterator

import pytest

from tests.faults.world import FaultWorld, start_fault_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultWorld]:
    with start_fault_world(tmp_path_factory.mktemp("faults")) as world:
        yield world
