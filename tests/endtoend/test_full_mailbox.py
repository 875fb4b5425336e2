"""A mailbox full of reports is worked off in constant memory: what the benchmark prints is held here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "bench_mailbox.py"
MAILS = 20_000
MOST_MB = 5.0


@pytest.mark.proof
@pytest.mark.servers
@pytest.mark.timeout(1800)
def test_memory_stays_flat_over_twenty_thousand_mails() -> None:
    """A leak of 300 bytes a mail would show; how quick it is depends on what else the machine does."""
    told = subprocess.run(
        [sys.executable, BENCHMARK],
        env={**os.environ, "BOUNCE_WATCH_MAILS": str(MAILS)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    print(f"\n{told}")
    assert f"{MAILS:,} mails" in told
    early, late = map(float, re.findall(r"([\d.]+) MB after", told))
    assert late - early < MOST_MB
