"""A real authoritative server (Knot) with a resolver (Unbound) before it, on loopback."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import dns.exception
import dns.message
import dns.query
import dns.rcode

from tests.servers.processes import STARTED, end, free_port, need, start

Records = Iterable[tuple[str, str, str]]
"""Name without a final dot, type, value as in a zone file."""

ZONES = ("example.", "protection.outlook.com.", "2.0.192.in-addr.arpa.", "bl.invalid.")
MICROSOFT = (
    "spf.protection.outlook.com",
    "TXT",
    '"v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:104.47.0.0/17 ip6:2a01:111:f400::/46 -all"',
)


class DnsWorld:
    """Zones whose records a test changes while the servers run; the resolver keeps nothing."""

    def __init__(self) -> None:
        need("knotd", "knotc", "unbound")
        self.folder = Path(tempfile.mkdtemp(prefix="bounce-watch-dns-"))
        self.knot, self.unbound = free_port(), free_port()
        self._serial = 0

    @property
    def server(self) -> str:
        """The address of the resolver, as [dns] servers names it."""
        return f"127.0.0.1:{self.unbound}"

    def __enter__(self) -> Self:
        self._write_zones([])
        (self.folder / "knot.conf").write_text(_knot(self.folder, self.knot))
        (self.folder / "unbound.conf").write_text(_unbound(self.folder, self.knot, self.unbound))
        self._log = (self.folder / "log").open("ab")
        self._processes = [
            start(["knotd", "-c", self.folder / "knot.conf"], self._log, self.folder),
            start(["unbound", "-d", "-c", self.folder / "unbound.conf"], self._log, self.folder),
        ]
        STARTED["Knot " + _version("knotd", "-V")] += 1
        STARTED["Unbound " + _version("unbound", "-V")] += 1
        self._wait()
        return self

    def __exit__(self, *exc: object) -> None:
        for process in reversed(self._processes):
            end(process)
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def publish(self, records: Records) -> None:
        """Replace all records of all zones, and wait until the new ones are served."""
        self._write_zones([MICROSOFT, *records])
        command = ["knotc", "-b", "-s", str(self.folder / "knot.sock"), "zone-reload"]
        subprocess.run(command, check=True, capture_output=True, timeout=20)

    def _write_zones(self, records: Records) -> None:
        self._serial += 1
        texts = {
            zone: [f"$ORIGIN {zone}", "$TTL 0", _soa(self._serial), "@ NS ns.example."] for zone in ZONES
        }
        texts["example."].append("ns A 127.0.0.1")
        for name, kind, value in records:
            zone = next(zone for zone in ZONES if f"{name}.".endswith(zone))
            texts[zone].append(f"{name}. {kind} {value}")
        for zone, lines in texts.items():
            (self.folder / f"{zone}zone").write_text("\n".join([*lines, ""]))

    def _wait(self) -> None:
        question, until = dns.message.make_query("example.", "SOA"), time.monotonic() + 20
        while time.monotonic() < until:
            try:
                if dns.query.udp(question, "127.0.0.1", 0.5, self.unbound).rcode() == dns.rcode.NOERROR:
                    return
            except (OSError, dns.exception.DNSException):
                pass
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())


def _version(*command: str) -> str:
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    words = (shown.stdout + shown.stderr).split()
    return next((word for word in words if word[:1].isdigit()), "?")


def _soa(serial: int) -> str:
    return f"@ SOA ns.example. hostmaster.example. {serial} 60 60 60 0"


def _knot(folder: Path, port: int) -> str:
    zones = "".join(f"  - domain: {zone}\n    file: {folder}/{zone}zone\n" for zone in ZONES)
    return f"""server:
  rundir: {folder}
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
control:
  listen: {folder}/knot.sock
database:
  storage: {folder}
template:
  - id: default
    storage: {folder}
    journal-content: none
    zonefile-load: whole
    zonefile-sync: -1
    semantic-checks: off
zone:
{zones}"""


def _unbound(folder: Path, knot: int, port: int) -> str:
    stubs = "".join(f"stub-zone:\n  name: {zone}\n  stub-addr: 127.0.0.1@{knot}\n" for zone in ZONES)
    return f"""server:
  interface: 127.0.0.1
  port: {port}
  do-ip6: no
  num-threads: 1
  username: ""
  chroot: ""
  directory: {folder}
  pidfile: {folder}/unbound.pid
  use-syslog: no
  module-config: iterator
  do-not-query-localhost: no
  local-zone: 2.0.192.in-addr.arpa. nodefault
  local-zone: invalid. nodefault
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
  access-control: 127.0.0.0/8 allow
remote-control:
  control-enable: no
{stubs}"""
