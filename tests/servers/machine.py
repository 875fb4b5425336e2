"""A machine for documented commands: what they write to /etc, /var, /opt, /usr and /root is gone afterwards.

A private mount namespace (unshare(1)) with an overlay over each of these folders. Needs root.
"""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.servers.processes import need

HOME = "/root"
FOLDERS = ("etc", "var", "opt", "usr", "root")
_ENTER = "".join(
    f"mount -t overlay overlay -o lowerdir=/{name},upperdir=$0/{name},workdir=$0/work-{name} /{name}\n"
    for name in FOLDERS
)


class Machine:
    """Runs shell code as root, one namespace a call; the layers below `folder` keep the files between calls.

    `hosts` are lines of /etc/hosts by name. `environ` is added to the environment.
    """

    def __init__(self, folder: Path, *, hosts: Mapping[str, str], environ: Mapping[str, str]) -> None:
        need("unshare", "mount", root=True)
        self.layers = folder
        for name in FOLDERS:
            for layer in (name, f"work-{name}"):
                (folder / layer).mkdir(parents=True)
        probe = subprocess.run(
            ["unshare", "-m", "--propagation", "private", "sh", "-euc", _ENTER, str(folder)],
            check=False,
            capture_output=True,
            text=True,
        )
        if probe.returncode:
            pytest.skip(f"no namespaces with overlays here: {probe.stderr[:200]}")
        lines = "".join(f"{address} {name}\n" for name, address in hosts.items())
        (folder / "etc" / "hosts").write_text(f"127.0.0.1 localhost\n{lines}", encoding="utf-8")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BOUNCE_WATCH")}
        self.environ = {**inherited, "HOME": HOME, "COLUMNS": "200", **environ}

    def start(self, code: str, **streams: int) -> subprocess.Popen[bytes]:
        """Start shell code that stops at the first error, in a process group of its own."""
        entered = f'{_ENTER}cd {HOME}\nexec sh -euc "$1"\n'
        command = ["unshare", "-m", "--propagation", "private", "sh", "-euc", entered, str(self.layers), code]
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            command, env=self.environ, start_new_session=True, **streams
        )

    def run(self, code: str, *, given: str = "", status: int = 0) -> str:
        """Run shell code with `given` as its standard input; return what it prints, errors too."""
        process = self.start(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = process.communicate(given.encode(), timeout=500)[0].decode()
        assert process.returncode == status, f"{code}\nended with {process.returncode}:\n{said}"
        return said

    def answer(self, code: str, answers: Mapping[str, str], seconds: float = 60) -> str:
        """Run shell code at a terminal; answer a question by the first word of `answers` in it, or Enter."""
        ours, theirs = pty.openpty()
        process = self.start(code, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        said, deadline = "", time.monotonic() + seconds
        try:
            while process.poll() is None and time.monotonic() < deadline:
                fresh = _read(ours)
                said += fresh
                question = said.rpartition("\n")[2]
                if fresh and re.search(r"[:?\]] $", question):
                    known = (text for word, text in answers.items() if word in question)
                    os.write(ours, f"{next(known, '')}\n".encode())
            said += _read(ours)
        finally:
            os.close(ours)
            process.kill()
        assert process.wait() == 0, f"{code}\nended with {process.returncode}:\n{said}"
        return said


def _read(terminal: int) -> str:
    """Return what the program printed by now, empty after a fifth of a second or at its end."""
    with suppress(OSError):
        if select.select([terminal], [], [], 0.2)[0]:
            return os.read(terminal, 10_000).decode(errors="replace")
    return ""
