"""The service of docs/service.md under a systemd that runs: start, reload, death and stop."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.documented import ROOT, steps
from tests.pipeline.conftest import ndr
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.servers.systemd import LIBRARIES, Systemd

pytestmark = [
    pytest.mark.proof,
    pytest.mark.servers,
    pytest.mark.xdist_group("wheel"),
    pytest.mark.timeout(300),
]

CONFIG = """
[organisation]
name = "Contoso"
accepted_domains = ["contoso.example"]
support = "phone 4455"
admins = ["admin@contoso.example"]
[source]
type = "imap"
host = "localhost"
port = {port}
user = "{user}"
ca_file = "/etc/bounce-watch/ca.pem"
[send]
type = "folder"
path = "/var/lib/bounce-watch/sent"
[store]
path = "/var/lib/bounce-watch/store.db"
[reply]
from_address = "bounces@contoso.example"
"""
DROP_IN = b"""[Service]
LoadCredential=imap-password:/etc/bounce-watch/credentials/imap-password
RestartSec=200ms
"""


def install(machine: Systemd, wheel: Path, dovecot: Dovecot) -> None:
    """Do what docs/service.md says, with a configuration for the test's own mailbox."""
    code = steps()
    machine.write(f"/srv/{wheel.name}", wheel.read_bytes())
    offline = "export PIP_NO_DEPS=1 PIP_NO_INDEX=1 PIP_DISABLE_PIP_VERSION_CHECK=1\n"
    machine.run(offline + code["program"].replace(" .\n", f" /srv/{wheel.name}\n"))
    machine.run(f"echo {LIBRARIES} > $(echo /opt/bounce-watch/lib/python*/site-packages)/borrowed.pth")
    machine.run(code["folders"])
    machine.run(code["units"])
    config = CONFIG.format(port=dovecot.imaps_port, user=WATCHED)
    machine.write("/etc/bounce-watch/config.toml", config.encode())
    machine.write("/etc/bounce-watch/ca.pem", dovecot.certificates.ca_file.read_bytes())
    machine.run("chmod 0644 /etc/bounce-watch/ca.pem")
    machine.write("/etc/bounce-watch/credentials/imap-password", PASSWORD.encode())
    for name in ("bounce-watch", "bounce-watch-digest"):
        machine.run(f"mkdir /etc/systemd/system/{name}.service.d")
        machine.write(f"/etc/systemd/system/{name}.service.d/override.conf", DROP_IN)
    machine.run("systemctl daemon-reload")


def test_the_documented_service_lives_under_systemd(wheel: Path, tmp_path: Path) -> None:
    with Dovecot() as dovecot, Systemd(tmp_path) as machine:
        install(machine, wheel, dovecot)
        machine.run(steps()["start-the-service"])
        assert machine.value("bounce-watch", "ActiveState") == "active"
        assert machine.value("bounce-watch", "UID") not in ("0", "[not set]")
        main = machine.value("bounce-watch", "MainPID")

        dovecot.append([ndr("alice@contoso.example", at=datetime.now(UTC))])
        dovecot.wait_for(1, WATCHED, "Bounces/Filed")

        machine.run("systemctl reload bounce-watch")
        wait_for_log(machine, "the service cannot read /etc/bounce-watch/config.toml")
        machine.run("chmod 0644 /etc/bounce-watch/config.toml && systemctl reload bounce-watch")
        wait_for_log(machine, "reloaded")
        assert machine.value("bounce-watch", "MainPID") == main

        said = machine.run("systemd-analyze --no-pager security bounce-watch")
        found = re.search(r"exposure level for \S+: (\d+\.\d)", said)
        assert found, said
        assert f"{found[1]} of 10" in (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

        machine.run("systemctl kill --signal=KILL bounce-watch")
        dovecot.append([ndr("bob@contoso.example", number=2, at=datetime.now(UTC))])
        dovecot.wait_for(2, WATCHED, "Bounces/Filed")
        assert machine.value("bounce-watch", "NRestarts") == "1"

        began = time.monotonic()
        machine.run("systemctl stop bounce-watch")
        assert time.monotonic() - began < 10
        assert machine.value("bounce-watch", "Result") == "success"

        dovecot.append([ndr("carol@contoso.example", number=3, at=datetime.now(UTC))])
        machine.run("systemctl start bounce-watch-digest.service")
        assert len(dovecot.wait_for(3, WATCHED, "Bounces/Filed")) == 3


def wait_for_log(machine: Systemd, word: str) -> None:
    until = time.monotonic() + 20
    while word not in (log := machine.run("journalctl --no-pager -u bounce-watch")):
        assert time.monotonic() < until, log
        time.sleep(0.2)
