"""A systemd that runs: process 1 of its own namespaces, over a copy of this machine that is gone after it.

Nothing of it reaches this machine: every file system is private, the root is an overlay whose layers are in
memory, /run, /tmp and /var/tmp are empty, and no capability is left that could change clock, network or
kernel. None of the machine's own units is started. The network is this machine's, for the test's servers.
"""

import os
import subprocess
import sys
import sysconfig
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.servers.processes import guard, need, relieve

PYTHON = "/opt/python"
LIBRARIES = "/opt/libraries"
"""Where this Python and its libraries are, for ProtectHome hides them if they are in a home."""
_PATH = f"{PYTHON}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

_BOOT = r"""
mount -t tmpfs tmpfs "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
mkdir -p "$0/root$3" "$0/root$5"
mount --bind -o ro "$2" "$0/root$3"
mount --bind -o ro "$4" "$0/root$5"
cd "$0/root"
mount -t proc proc proc
mount --bind -o ro proc/sys proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for device in null zero full random urandom tty; do
    touch "dev/$device" && mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
for folder in dev/shm run tmp var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$folder"; done
chmod 755 run
rm -rf etc/systemd/system usr/lib/systemd/system/*.wants var/lib/systemd etc/machine-id
mkdir -p etc/systemd/system old
printf '[Unit]\nWants=systemd-journald.service\n' > etc/systemd/system/test.target
echo "$3/lib" > etc/ld.so.conf.d/0-python.conf
chroot . ldconfig
pivot_root . old
umount -l /old
mount --make-rshared /
exec setpriv --bounding-set=-net_admin,-sys_time,-sys_module,-sys_boot,-sys_rawio \
    env -i container=test "PATH=$1" /lib/systemd/systemd --system --unit=test.target --log-target=null
"""


class Systemd:
    """Runs from `start` on; `run` runs shell code as root beside it. `folder` is where it is mounted."""

    def __init__(self, folder: Path) -> None:
        need("unshare", "nsenter", "setpriv", "pivot_root", "/lib/systemd/systemd", root=True)
        unified = [
            line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if " cgroup2 " in line
        ]
        if not unified:
            pytest.skip("systemd needs control groups of version 2 here")
        self._groups = Path(unified[0]) / f"bounce-watch-test-{os.getpid()}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Systemd":
        self._groups.mkdir()
        join = 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"'
        spaces = ["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--ipc", "--uts"]
        borrowed = [sys.base_prefix, PYTHON, sysconfig.get_path("purelib"), LIBRARIES]
        command: list[str | Path] = [
            "unshare",
            *spaces,
            "--cgroup",
            "sh",
            "-euc",
            _BOOT,
            self._folder,
            _PATH,
            *borrowed,
        ]
        self._process = subprocess.Popen(
            ["sh", "-euc", join, "sh", self._groups, *command],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self._guard = guard(-self._process.pid)
        try:
            self._wait_until_started()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process is not None
        self._process.kill()  # the kernel ends all that is in its namespace
        self._process.communicate()
        relieve(self._guard)
        for _ in range(50):
            for group in sorted(self._groups.rglob("*/"), reverse=True):
                with suppress(OSError):
                    group.rmdir()
            with suppress(OSError):
                self._groups.rmdir()
            if not self._groups.exists():
                return
            time.sleep(0.1)

    def run(self, code: str, *, given: bytes = b"", status: int = 0) -> str:
        """Run shell code with `given` as its standard input; return what it prints, errors too."""
        done = self._run(code, given)
        said = done.stdout.decode()
        assert done.returncode == status, f"{code}\nended with {done.returncode}:\n{said}"
        return said

    def write(self, path: str, content: bytes) -> None:
        """Write a file that its owner alone can read."""
        self.run(f"umask 077; cat > {path}", given=content)

    def value(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.run(f"systemctl show --value -p {name} {unit}").strip()

    def _run(self, code: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        enter = ["nsenter", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--root", "--target"]
        command = [*enter, str(self._first()), "sh", "-euc", f"cd /root\n{code}"]
        environ = {"PATH": _PATH, "HOME": "/root", "COLUMNS": "200"}
        return subprocess.run(
            command, env=environ, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            timeout=120,
        )  # fmt: skip

    def _first(self) -> int:
        """Return what process 1 in there is called out here."""
        assert self._process is not None
        (child,) = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(child)

    def _wait_until_started(self) -> None:
        assert self._process is not None
        for _ in range(100):
            if self._process.poll() is not None:
                said = self._process.communicate()[1].decode()
                pytest.skip(f"no systemd can run in namespaces here: {said[-300:]}")
            with suppress(ValueError):
                if b"running" in self._run("systemctl is-system-running").stdout:
                    return
            time.sleep(0.1)
        pytest.skip("systemd does not start in namespaces here")
