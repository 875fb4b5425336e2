"""Memory: each figure comes from a process of its own, since a process never gives its peak back."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import readers
from held import held

from bounce_watch.source.local.files import FilesSource

ATTACHED = 100 * 1000 * 1000
_REPORT = (
    "From: <postmaster@mx.example>\nTo: <ada@contoso.example>\nSubject: Undeliverable\n"
    'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
    "Final-Recipient: rfc822; lee@fabrikam.example\nAction: failed\nStatus: 5.2.3\n"
    "Diagnostic-Code: smtp; 552 5.2.3 message too large\n\n"
    "--b\nContent-Type: message/rfc822\n\nFrom: <ada@contoso.example>\nSubject: pictures\n"
    "Content-Transfer-Encoding: base64\n\n"
)


def show(path: Path) -> None:
    """Read the mails at a path through the source; tell time and memory above the idle process."""
    readers.catalogue()
    readers.bounces_of(_REPORT.encode())
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
    idle, start, found = held("VmRSS"), time.perf_counter(), 0
    for message in FilesSource(path).messages():
        found += len(readers.bounces_of(message.raw))
    taken = time.perf_counter() - start
    print(f"{found} bounces in {taken:.2f} s, {held('VmHWM') - idle:.1f} MB above the idle {idle:.0f} MB")


def of_large_message() -> str:
    """Return what a report that returns a mail of 100 MB costs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.eml")
        with path.open("wb") as file:
            file.write(_REPORT.encode())
            for _ in range(ATTACHED // 76_000):
                file.write((b"QUJD" * 18 + b"AAA\n") * 1000)
        return of_path(path)


def of_path(path: Path) -> str:
    done = subprocess.run([sys.executable, __file__, str(path)], check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    show(Path(sys.argv[1]))
