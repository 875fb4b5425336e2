"""A newcomer's first half hour: the commands of README and docs in order, from init to the first reply.

Real Dovecot and Postfix and a token server answer under the names and ports of Exchange Online. The commands
run on a machine of their own, where /etc, /var and /root are as on a new one.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.documented import steps
from tests.servers.dovecot import WATCHED
from tests.servers.exchange import ExchangeOnline, start_exchange
from tests.servers.machine import Machine
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TENANT

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("world"), pytest.mark.timeout(300)]

STEPS = (
    "secret", "certificate", "init", "name-the-secret", "check", "probe", "rehearse", "calibrate", "run",
    "held", "release",
)  # fmt: skip
"""The blocks of the documents that the test runs, in this order."""

ALICE = "alice@contoso.example"
ANSWERS = {
    "domain": "contoso.example",
    "called": "Contoso",
    "tenant": TENANT,
    "Application": CLIENT_ID,
    "ask for help": "phone 4455",
    "Check it": "n",
}
"""Answers by a word of the question; every other question is answered with Enter."""


@contextmanager
def newcomer(folder: Path) -> Iterator[tuple[ExchangeOnline, Machine]]:
    """Start the servers and a machine that reaches them as it would reach Exchange Online."""
    address = f"127.{os.getpid() >> 16 & 255}.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
    with start_exchange(folder / "servers", address) as exchange:
        trusted = {"SSL_CERT_FILE": str(exchange.ca_file), "REQUESTS_CA_BUNDLE": str(exchange.ca_file)}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        yield exchange, Machine(folder / "machine", hosts=exchange.hosts, environ={"PATH": path, **trusted})


def test_the_documented_commands_lead_to_the_first_released_reply(tmp_path: Path) -> None:
    """A command that fails, or that a page no longer has, fails here by its name."""
    code = steps()
    (tmp_path / "servers").mkdir()
    with newcomer(tmp_path) as (exchange, machine):
        for number in range(6):  # calibrate asks for five reports
            exchange.world.send(ALICE, "nouser@fabrikam.example", subject=f"Offer {number}")
        machine.run(code["secret"], given=f"{CLIENT_SECRET}\n")
        machine.run(f"{code['certificate']}\ntest -s bounce-watch.pem")
        assert "Wrote /etc/bounce-watch/config.toml" in machine.answer(code["init"], ANSWERS)
        _name_the_secret(tmp_path / "machine", code["name-the-secret"])
        exchange.world.dovecot.wait_for(6, WATCHED)

        expect(machine.run(code["check"]), "signed in as bounces@contoso.example")
        expect(machine.run(code["probe"]), "a colleague with such a bounce would be answered")
        expect(machine.run(code["rehearse"]), ALICE)
        expect(machine.run(code["calibrate"]), 'authority = "exchange-headers"')

        with _running(machine, code["run"]):
            exchange.world.dovecot.wait_for(7, WATCHED, "Bounces/Filed", seconds=90)
        assert exchange.world.dovecot.contents(ALICE) == []
        expect(machine.run(code["held"]), ALICE)
        expect(machine.run(code["release"]), "1 released")
        # A running service sends within half a minute; one that starts sends at once.
        with _running(machine, code["run"]):
            (letter,) = exchange.world.dovecot.wait_for(1, ALICE, seconds=90)
        assert b"nouser@fabrikam.example" in letter


def expect(said: str, words: str) -> None:
    """Fail with all that a command said, unless it said these words."""
    assert words in " ".join(said.split()), said


def _name_the_secret(layers: Path, line: str) -> None:
    """Add the documented line to both tables, as the page says."""
    config = layers / "etc" / "bounce-watch" / "config.toml"
    text, tables = re.subn(
        r"(?m)^(\[(?:source|send)\.oauth\].*)$", rf"\1\n{line.strip()}", config.read_text()
    )
    assert tables == 2, text
    config.write_text(text)


@contextmanager
def _running(machine: Machine, code: str) -> Iterator[None]:
    """Run the service in the background, and end it as systemd does."""
    service = machine.start(code, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield
        assert service.poll() is None, service.communicate()
    finally:
        os.killpg(service.pid, signal.SIGTERM)
        service.communicate(timeout=30)
