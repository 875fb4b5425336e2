"""`check --probe` on real servers: one mail out, its report back, and an honest word on both."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bounce_watch.config.load import load_config
from bounce_watch.store import store_location, workers
from tests.endtoend.test_whole_way import ALICE, bounce_watch, run_once, write_config
from tests.servers.dovecot import WATCHED
from tests.servers.kept import Keep
from tests.servers.world import MailWorld, start_world

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("world")]

NOBODY = "nouser@fabrikam.example"


@pytest.fixture(scope="module")
def world() -> Iterator[MailWorld]:
    """One world for all probes: each looks only at what came after its start."""
    with start_world() as running:
        yield running


def probed(config: Path, *arguments: str, status: int = 0) -> dict[str, dict[str, Any]]:
    """Run the probe and return its lines by name."""
    out = bounce_watch(config, "check", "--probe", "--json", *arguments, status=status).stdout
    return {row["name"]: row for row in map(json.loads, out.splitlines())}


def test_a_probe_comes_back_and_is_explained(world: MailWorld, tmp_path: Path, keep: Keep) -> None:
    """When, how wrapped, as what, how far it is believed, and who would be told. Nothing is moved."""
    before = len(world.dovecot.contents(WATCHED))
    rows = probed(write_config(world, tmp_path, keep), "--to", NOBODY, "--wait", "60s")
    assert f"sent to {NOBODY} by {WATCHED}" in str(rows["probe"]["text"])
    assert "as failure, bare" in str(rows["came back"]["text"])
    assert f"5.1.10 for {NOBODY}: recipient_unknown" in str(rows["read as"]["text"])
    assert rows["evidence"]["state"] == "ok"
    assert "the mark of our mail" in str(rows["original mail"]["text"])
    assert "returns no DKIM signature" in str(rows["signature"]["text"])
    assert rows["answer"]["text"] == "a colleague with such a bounce would be answered"
    assert len(world.dovecot.contents(WATCHED)) == before + 1


def test_what_the_site_does_not_believe_is_a_warning(world: MailWorld, tmp_path: Path, keep: Keep) -> None:
    """Postfix writes no mark of Exchange: with the default trust no reply would be sent."""
    config = write_config(world, tmp_path, keep)
    config.write_text(config.read_text().replace('authority = "mailbox"', 'authority = "exchange-headers"'))
    rows = probed(config, "--to", NOBODY, "--wait", "60s")
    assert rows["evidence"]["state"] == "warning"
    assert "trust.authority" in str(rows["evidence"]["repair"])
    assert "would hear nothing: The report may be spoofed" in str(rows["answer"]["text"])


def test_a_probe_that_comes_back_later_is_never_answered(
    world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    """The service reads the same report afterwards: our own mail came back."""
    config = write_config(world, tmp_path, keep)
    probed(config, "--to", NOBODY, "--wait", "60s")
    figures = run_once(config)
    assert figures["bounces"]
    assert (figures["letters"], figures["delivered"]["sent"]) == (0, 0)  # type: ignore[index]
    (row,) = map(json.loads, bounce_watch(config, "outbox", "list", "--json").stdout.splitlines())
    assert (row["kind"], row["state"]) == ("probe", "sent")


def test_an_address_that_takes_the_mail_gives_no_report(world: MailWorld, tmp_path: Path, keep: Keep) -> None:
    """The time is over: the line says where to look, with a command to paste."""
    rows = probed(write_config(world, tmp_path, keep), "--wait", "2s", status=1)
    assert rows["came back"]["state"] == "failure"
    (command,) = rows["came back"]["commands"]
    assert f"-SenderAddress '{WATCHED}' -RecipientAddress 'bounce-watch-probe-" in command
    assert ".invalid'" in command


@pytest.mark.parametrize(
    ("to", "words"),
    [
        pytest.param(WATCHED, "belongs to bounce_watch itself", id="our own address"),
        pytest.param("a@b.example\r\nRCPT TO:<c@d.example>", "unusual form", id="injection"),
        pytest.param("no address", "unusual form", id="no address"),
    ],
)
def test_the_gate_stands_before_a_probe_too(
    world: MailWorld, tmp_path: Path, keep: Keep, to: str, words: str
) -> None:
    seen = len(world.outside.handler.seen)
    rows = probed(write_config(world, tmp_path, keep), "--to", to, "--wait", "2s", status=1)
    assert words in str(rows["probe"]["text"])
    assert len(world.outside.handler.seen) == seen


def test_a_person_may_send_the_mail_from_a_mailbox_that_a_rule_covers(
    world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    """That tests the way by which reports of colleagues reach the watched mailbox."""
    config = write_config(world, tmp_path, keep)
    command = [sys.executable, "-m", "bounce_watch", "-c", str(config), "check", "--probe", "--by-hand"]
    command += ["--to", NOBODY, "--wait", "60s", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert running.stdout is not None
        assert any(NOBODY in line for line in iter(running.stderr.readline, ""))
        world.send(ALICE, NOBODY)
        rows = {row["name"]: row for row in map(json.loads, running.stdout.read().splitlines())}
    assert f"it names the sender, {ALICE}" in rows["original mail"]["text"]
    assert rows["answer"]["state"] == "ok"


def test_a_report_that_the_running_service_files_meanwhile_is_found(
    world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    """The service and the probe work with one store; the service is quicker."""
    config = write_config(world, tmp_path, keep)
    config.write_text(config.read_text() + "\n[run]\npoll_seconds = 1\n")
    run_once(config)  # the folders are there now
    with subprocess.Popen(
        [sys.executable, "-m", "bounce_watch", "-c", str(config), "run"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as service:
        try:
            place = store_location(load_config(config).store)
            deadline = time.monotonic() + 30
            while not any(str(service.pid) in name for name in workers(place)):
                assert time.monotonic() < deadline
                threading.Event().wait(0.1)
            rows = probed(config, "--to", NOBODY, "--wait", "60s")
        finally:
            service.terminate()
    assert "as failure" in str(rows["came back"]["text"])
    assert world.dovecot.contents(WATCHED) == []
