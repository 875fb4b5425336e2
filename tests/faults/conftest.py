"""One pair of servers and proxies for all faults of a module."""

from collections.abc import Iterator

import pytest

from tests.faults.world import FaultWorld, start_fault_world
from tests.servers.kept import Keep


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, keep: Keep) -> Iterator[FaultWorld]:
    folder = tmp_path_factory.mktemp("faults")
    with start_fault_world(folder, keep(folder)) as world:
        yield world
