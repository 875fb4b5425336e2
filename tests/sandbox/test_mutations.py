"""Damaged mail: no fault, no limit overrun. BOUNCE_WATCH_MUTATIONS=20000 runs more of it.

How quick it is tells benchmarks/bench_hostile.py; here only the limits of the reading process hold.
"""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bounce_watch.model import Unreadable
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.jobs import Job
from bounce_watch.sandbox.outcome import Limits, Overrun
from bounce_watch.sandbox.pool import in_order
from tests.parse.hostile import HOSTILE as OUR_HOSTILE
from tests.parse.hostile import HOSTILE_HEADERS
from tests.sandbox.mutator import MUTATIONS, mutations

ROOT = Path(__file__).parents[2]
HOSTILE = ROOT.parent / "shared" / "reference" / "hostile_inputs.py"
NUMBER = int(os.environ.get("BOUNCE_WATCH_MUTATIONS", "2000"))
LIMITS = Limits(memory_bytes=256 * 1024 * 1024)
SEED = 20261124


def samples() -> list[bytes]:
    folders = (ROOT / "tests" / "samples", ROOT / "data" / "demo")
    return [path.read_bytes() for folder in folders for path in sorted(folder.rglob("*.eml"))]


def faults(messages: Iterator[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """Return the names of the messages that overran a limit or made the reader fail, with the reason."""
    requests = (ReadRequest(name, raw) for name, raw in messages)
    found = []
    with closing(
        in_order(requests, lambda request: request, Job.READINGS, jobs=2, here=False, limits=LIMITS)
    ) as answers:
        for request, outcome in answers:
            reasons = (
                [outcome.reason]
                if isinstance(outcome, Overrun)
                else [
                    reading.reason
                    for reading in outcome
                    if isinstance(reading, Unreadable) and "the reader failed" in reading.reason
                ]
            )
            found += [(request.name, reason) for reason in reasons]
    return found


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_damaged_samples_are_read_without_a_fault_within_five_seconds_and_256_megabytes() -> None:
    originals = samples()
    assert len(originals) > 50
    damaged = mutations(originals, NUMBER, SEED)
    assert faults((str(number), raw) for number, raw in enumerate(damaged)) == []


def test_every_mutation_damages_and_the_seed_decides() -> None:
    """A mutation that changes nothing would prove nothing."""
    originals = samples()
    one, two = (list(mutations(originals, 200, SEED)) for _ in range(2))
    assert one == two
    assert len(set(one)) > 190
    import random

    for mutate in MUTATIONS:
        chance = random.Random(1)
        assert any(mutate(original, chance) != original for original in originals), mutate.__name__


def test_our_hostile_mails_overrun_nothing() -> None:
    assert faults(iter([*OUR_HOSTILE.items(), *HOSTILE_HEADERS.items()])) == []


@pytest.mark.corpus
@pytest.mark.skipif(not HOSTILE.is_file(), reason="the shared hostile inputs are not beside this checkout")
def test_the_shared_hostile_inputs_overrun_nothing() -> None:
    spec = importlib.util.spec_from_file_location("hostile_inputs", HOSTILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    messages = list(module.hostile_messages())
    assert len(messages) >= 102
    assert faults(iter(messages)) == []
