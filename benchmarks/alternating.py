"""The programs of two checkouts work off the same messages in turn, and their ratio is printed.

Each run is `run --once` in a process of its own, on a new Dovecot and an empty store, so starting the program
counts as well. Replies are held (`mode = "preview"`), so what is compared ends where messages are filed.
On a busy machine one pair may be off by half: take more rounds, and fewer messages to bring the turns closer.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot

CONFIG = """
[organisation]
name = "Larkfield"
accepted_domains = ["larkfield.example"]
support = "phone 4455"
admins = ["mailadmin@larkfield.example"]
[source]
type = "imap"
host = "localhost"
port = {port}
user = "{user}"
password = "{password}"
ca_file = "{ca_file}"
timeout_seconds = 600
[send]
type = "folder"
path = "sent"
[store]
path = "store.db"
[reply]
mode = "preview"
from_address = "bounces@larkfield.example"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Messages per second, and milliseconds of processor time per message, reading process included."""

    rate: float
    cpu: float


def compare(other: Path, fill: Callable[[Dovecot], int], rounds: int) -> None:
    """Let the program of this environment and that of another checkout take turns, and print their ratio."""
    programs = {"this": Path(sys.executable).parent, "other": other.absolute() / ".venv" / "bin"}
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    for number in range(rounds):
        # A B, then B A: whoever comes second in a round may meet more of what else runs here.
        for name in sorted(programs, reverse=number % 2 == 0):
            runs[name].append(_work_off(programs[name] / "bounce-watch", fill))
            print(f"{name:5} {runs[name][-1].rate:6.0f} a second, {runs[name][-1].cpu:.2f} ms processor time")
    pairs = list(zip(runs["this"], runs["other"], strict=True))
    rate = statistics.median(this.rate / other.rate for this, other in pairs)
    cpu = statistics.median(this.cpu / other.cpu for this, other in pairs)
    load = os.getloadavg()[0]
    print(f"this / other: rate {rate:.2f}, processor time {cpu:.2f} ({rounds} rounds, load {load:.1f})")


def _work_off(program: Path, fill: Callable[[Dovecot], int]) -> Run:
    with Dovecot(large=True) as dovecot, tempfile.TemporaryDirectory() as folder:
        number = fill(dovecot)
        values = {"port": dovecot.imaps_port, "user": WATCHED, "password": PASSWORD}
        config = Path(folder) / "config.toml"
        config.touch(mode=0o600)  # it holds a password
        config.write_text(CONFIG.format(**values, ca_file=dovecot.certificates.ca_file))
        command = [str(program), "--config", config.name, "run", "--once", "--json"]
        before, start = _cpu_of_ended(), time.perf_counter()
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        wall, cpu = time.perf_counter() - start, _cpu_of_ended() - before
    if done.returncode:
        raise SystemExit(f"{program} failed:\n{done.stderr}")
    if (seen := json.loads(done.stdout)["messages"]) != number:
        raise SystemExit(f"{program} took {seen} of {number} messages")
    return Run(rate=number / wall, cpu=1000 * cpu / number)


def _cpu_of_ended() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime
