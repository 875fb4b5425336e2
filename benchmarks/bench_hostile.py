"""What the worst mail costs: damaged samples, growth with size, and how much memory a huge mail takes.

Costs are linear when a message twice as large takes about twice as long. Times are those of the processor,
each the best of several runs, since a busy machine only ever adds. BOUNCE_WATCH_MUTATIONS sets the number of
damaged samples.
"""

import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bounce_watch.model import Unreadable  # noqa: E402
from bounce_watch.parse import read  # noqa: E402
from tests.sandbox.mutator import mutations  # noqa: E402

HOSTILE = ROOT.parent / "shared" / "reference" / "hostile_inputs.py"
NUMBER = int(os.environ.get("BOUNCE_WATCH_MUTATIONS", "20000"))
SEED = 20261124
SIZES = (100_000, 200_000, 400_000, 800_000, 1_600_000)
REPORT = b"From: MAILER-DAEMON@mx.example\nSubject: Undelivered mail\n"
STATUS = b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"
FAMILIES: dict[str, tuple[bytes, bytes]] = {
    "parts": (b"Content-Type: multipart/mixed; boundary=b\n\n", b"--b\n\nx\n"),
    "levels": (b"", b"Content-Type: message/rfc822\n\n"),
    "headers": (b"", b"X-Header: value\n"),
    "folded header": (b"X-Header: a\n", b" folded\n"),
    "long header": (b"Subject: ", b"a "),
    "addresses": (b"To: ", b"a@b.example, "),
    "comments": (b"From: ", b"("),
    "parameters": (b"Content-Type: text/plain; ", b'name*0*="x"; '),
    "encoded words": (b"Subject: ", b"=?utf-8?b?w6Q=?= "),
    "bare carriage returns": (REPORT, b"x\r"),
    "empty lines": (REPORT, b"\n"),
    "one line": (REPORT + b"\n", b"x"),
    "at signs": (REPORT + b"\n", b"@"),
    "angle brackets": (REPORT + b"\n", b"<"),
    "address lines": (REPORT + b"\n", b"<a@b.example>:\n"),
    "replies": (REPORT + b"\n", b"550 5.1.1 no\n"),
    "quotes": (REPORT + b"\n", b"> "),
    "dashes": (REPORT + b"\n", b"-"),
    "pasted headers": (b"From: a@b.example\n\n", b"From: x\nSent: y\nTo: z\n"),
    "HTML tags": (REPORT + b"Content-Type: text/html\n\n", b"<p "),
    "HTML entities": (REPORT + b"Content-Type: text/html\n\n", b"&#x41;"),
    "base64": (REPORT + b"Content-Transfer-Encoding: base64\n\n", b"QUFB\n"),
    "quoted-printable": (REPORT + b"Content-Transfer-Encoding: quoted-printable\n\n", b"=41=\n"),
    "recipients": (STATUS, b"\nFinal-Recipient: rfc822;a@b.example\nAction: failed\nStatus: 5.1.1\n"),
    "status fields": (STATUS, b"Diagnostic-Code: smtp;550 5.1.1 no\n"),
    "folded status": (STATUS + b"Final-Recipient: rfc822;a@b.example\nDiagnostic-Code: smtp;\n", b" 5.1.1\n"),
    "JSON": (REPORT + b'\n{"notificationType":', b"["),
}  # fmt: skip


def milliseconds(raw: bytes, runs: int = 1) -> float:
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        read(raw)
        best = min(best, time.process_time() - start)
    return 1000 * best


def show_mutations() -> None:
    folders = (ROOT / "tests" / "samples", ROOT / "data" / "demo")
    samples = [path.read_bytes() for folder in folders for path in sorted(folder.rglob("*.eml"))]
    times, faults, unreadable = [], 0, 0
    for raw in mutations(samples, NUMBER, SEED):
        start = time.process_time()
        readings = read(raw)
        times.append(1000 * (time.process_time() - start))
        reasons = [reading.reason for reading in readings if isinstance(reading, Unreadable)]
        unreadable += bool(reasons)
        faults += any("the reader failed" in reason for reason in reasons)
    times.sort()
    within = sum(taken <= 50 for taken in times) / len(times)
    print(f"{len(times)} damaged samples: {faults} faults, {unreadable} unreadable")
    print(
        f"  median {statistics.median(times):.2f} ms, 99 % within {times[int(0.99 * len(times))]:.1f} ms, "
        f"slowest {times[-1]:.0f} ms; {100 * within:.2f} % within 50 ms; "
        f"most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB"
    )


def show_growth() -> None:
    sizes = ", ".join(f"{size / 1e6:g}" for size in SIZES)
    print(f"growth, milliseconds at {sizes} MB, largest ratio of neighbours:")
    for name, (head, unit) in FAMILIES.items():
        figures = [milliseconds(head + unit * (size // len(unit)), runs=3) for size in SIZES]
        ratios = [later / max(before, 2.0) for before, later in pairwise(figures)]
        print(f"  {name:22}" + "".join(f"{figure:9.1f}" for figure in figures) + f"   x {max(ratios):.2f}")


def show_hostile() -> None:
    if not HOSTILE.is_file():
        print("shared hostile inputs: none here, left out")
        return
    spec = importlib.util.spec_from_file_location("hostile_inputs", HOSTILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    times = sorted((milliseconds(raw), name) for name, raw in module.hostile_messages())
    print(f"{len(times)} shared hostile inputs: slowest {times[-1][0]:.0f} ms ({times[-1][1]})")


MEASURED = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from bounce_watch.parse import read
from bounce_watch.sandbox.reader import IsolatedReader
from bounce_watch.source import open_path
def peak(number):
    lines = open(f"/proc/{number}/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
reader = IsolatedReader()
for one in (read, reader.read):
    one(b"Subject: x\\n\\nx")
numbers = ("self", reader.start()._popen.pid)
idle = sum(map(peak, numbers))
for path in sys.argv[3:]:
    with open_path(Path(path)) as source:
        for message in source.messages():
            assert len(message.raw) == 2 << 20 and message.size > 100_000_000
            (read if sys.argv[2] == "here" else reader.read)(message.raw)
print((sum(map(peak, numbers)) - idle) >> 10)
"""


def show_large() -> None:
    """Read a mail of 100 MB through the sources; the peak is that of a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        mail, box = Path(folder, "large.eml"), Path(folder, "large.mbox")
        head = b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
        _fill(mail, head)
        _fill(box, b"From a@b.example Tue Nov 24 00:00:00 2026\n" + head)
        for name, path in (("a file", mail), ("an mbox", box)):
            for where in ("here", "apart"):
                command = [sys.executable, "-c", MEASURED, str(ROOT), where, str(path)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                print(f"100 MB in {name}, read {where}: {done.stdout.strip()} MB above the idle process")


def _fill(path: Path, head: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(head)
        for _ in range(100):
            stream.write((b"x" * 75 + b"\n") * 13_797)


def main() -> int:
    steps: tuple[Callable[[], None], ...] = (show_mutations, show_growth, show_hostile, show_large)
    for step in steps:
        step()
    return 0


if __name__ == "__main__":
    sys.exit(main())
