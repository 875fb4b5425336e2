"""The service: it works until it is told to stop, and says so to systemd."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bounce_watch.config.load import ConfigError
from bounce_watch.daemon import MAX_PAUSE, MailboxThread, Service, Stopper, back_off
from bounce_watch.daemon.reload import reread_config
from bounce_watch.source.interface import Unreachable
from tests.daemon.played import Heard, Played, Quiet
from tests.daemon.running import MAILDIR, Running, wait_for
from tests.pipeline.conftest import ndr
from tests.servers.kept import Keep


@pytest.fixture
def home(tmp_path: Path, keep: Keep) -> Iterator[Running]:
    with closing(Running(tmp_path, store=keep(tmp_path).line)) as running:
        yield running


@pytest.mark.slow
def test_the_program_reads_new_mail_and_sigterm_ends_it_cleanly(home: Running) -> None:
    command = [sys.executable, "-m", "bounce_watch", "-c", str(home.config), "run"]
    with (home.folder / "log").open("w") as log:
        service = subprocess.Popen(command, stderr=log)
    try:
        home.wait_until_started()
        home.deliver(ndr(at=datetime.now(UTC)), "1.a")
        wait_for(home.filed)
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(10) == 0
    assert "1 new mails" in home.log()
    assert home.log().rstrip().endswith("stopped")


def _ignores_sighup(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    ignored = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(ignored, 16) >> (signal.SIGHUP - 1) & 1)


@pytest.mark.slow
def test_reloads_from_the_first_moment_on_do_not_end_the_service(home: Running) -> None:
    """Only the interpreter's own start is left, for which the unit has RestartForceExitStatus."""
    command = [sys.executable, "-m", "bounce_watch", "-c", str(home.config), "run"]
    with (home.folder / "log").open("w") as log:
        service = subprocess.Popen(command, stderr=log)
    try:
        wait_for(lambda: _ignores_sighup(service.pid))

        def started() -> bool:
            service.send_signal(signal.SIGHUP)
            return service.poll() is not None or "started" in home.log()

        wait_for(started)
        home.wait_until_started()
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(10) == 0


def heard_until(listener: socket.socket, word: str) -> list[str]:
    heard = [listener.recv(500).decode()]
    while not heard[-1].startswith(word):
        heard.append(listener.recv(500).decode())
    return heard


@pytest.mark.slow
def test_systemd_hears_that_we_are_ready_alive_reloading_and_stopping(home: Running) -> None:
    address = home.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.settimeout(60)
        home.environ = {"NOTIFY_SOCKET": str(address)}
        home.start()
        assert heard_until(listener, "WATCHDOG=1\nSTATUS=")[0] == "READY=1"
        os.kill(home.pid, signal.SIGHUP)
        reloading = heard_until(listener, "RELOADING=1")[-1]
        assert 0 <= time.monotonic() - int(reloading.partition("MONOTONIC_USEC=")[2]) / 1e6 < 30
        heard_until(listener, "READY=1")
        home.stop()
        heard_until(listener, "STOPPING=1")


@pytest.mark.slow
def test_a_mailbox_that_is_away_stops_no_other_and_is_waited_for(home: Running) -> None:
    away = '[[source]]\nname = "asia"\ntype = "imap"\nhost = "localhost"\nport = 1\nuser = "u"'
    home.environ = {"BOUNCE_WATCH_ASIA_IMAP_PASSWORD": "x"}
    text = home.config.read_text().replace("[source]", "[[source]]")
    home.config.write_text(text.replace(MAILDIR, f"{MAILDIR}\n{away}"))
    home.start()
    wait_for(lambda: "mailbox_failed" in home.log())
    home.deliver(ndr(at=datetime.now(UTC)), "1")
    wait_for(home.filed)
    home.stop()
    assert "mailbox='asia'" in home.log()


@pytest.mark.slow
def test_a_reload_takes_the_new_configuration_and_refuses_a_broken_one(home: Running) -> None:
    for name in ("cur", "new", "tmp"):
        (home.folder / "other" / name).mkdir(parents=True)
    home.start()
    home.wait_until_started()
    whole = home.config.read_text()
    home.config.write_text(whole.replace("[source]", "[sauce]"))
    os.kill(home.pid, signal.SIGHUP)
    wait_for(lambda: "reload_failed" in home.log())
    home.deliver(ndr(number=1, at=datetime.now(UTC)), "1")
    wait_for(home.filed)
    home.config.write_text(whole.replace('path = "mailbox"', 'path = "other"'))
    os.kill(home.pid, signal.SIGHUP)
    wait_for(lambda: "reloaded" in home.log())
    home.deliver(ndr(number=2, at=datetime.now(UTC)), "2", mailbox="other")
    wait_for(lambda: list(home.folder.glob("other/.Filed/cur/*")))
    home.stop()


@pytest.mark.slow
def test_under_systemd_a_reload_reads_the_file_that_the_credential_came_from(home: Running) -> None:
    """A credential stays as it was at the start; relative paths go on to start there. Root does nothing."""
    written = home.folder / "etc"
    written.mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(home.folder), "CONFIGURATION_DIRECTORY": str(written)}
    with pytest.raises(ConfigError) as fault:
        reread_config(home.config, environ)
    assert "restart" in fault.value.repair
    (written / "config.toml").write_text(home.config.read_text().replace("Larkfield", "Fabrikam"))
    fresh = reread_config(home.config, environ)
    assert fresh.organisation.name == "Fabrikam"
    assert fresh.source[0].place == str(home.folder / "mailbox")


def test_a_reload_refuses_a_password_that_others_may_read(home: Running) -> None:
    written = home.folder / "etc"
    written.mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(home.folder), "CONFIGURATION_DIRECTORY": str(written)}
    text = home.config.read_text().replace(
        'type = "maildir"', 'type = "imap"\nuser = "b@larkfield.example"\nhost = "h"\npassword = "x"'
    )
    (written / "config.toml").write_text(
        "\n".join(line for line in text.splitlines() if "mailbox" not in line)
    )
    (written / "config.toml").chmod(0o644)
    with pytest.raises(ConfigError, match="others may read"):
        reread_config(home.config, environ)


@pytest.mark.slow
def test_an_answer_leaves_when_it_has_settled_although_no_mail_comes(home: Running) -> None:
    """The next look is a minute away; the answer must not wait for it."""
    text = home.config.read_text().replace("settle_seconds = 0", "settle_seconds = 1")
    home.config.write_text(text)
    home.start()
    home.wait_until_started()
    home.deliver(ndr(at=datetime.now(UTC)), "1")
    wait_for(home.filed)
    wait_for(lambda: list(home.folder.glob("sent/*.eml")), seconds=20)
    home.stop()


def test_pauses_grow_and_stay_below_the_watchdog() -> None:
    pauses = [back_off(faults) for faults in range(1, 40)]
    assert 3 < pauses[0] < 7
    assert max(pauses) <= MAX_PAUSE * 1.2 < 15 * 60


def test_a_server_that_asks_for_a_pause_gets_it() -> None:
    heard: Heard = []
    stopper, fault = Stopper(), Unreachable("too fast", retry_after=0.3)
    work = Played([fault, "well"], stopper)
    service = Service(
        [MailboxThread("m", Quiet("m", heard))], work, stopper, poll=60, retry=lambda faults: 0.001
    )
    began = time.monotonic()
    service.run()
    assert time.monotonic() - began >= 0.3
    assert [what for what, _ in heard[:3]] == ["open", "closed", "open"]


def test_one_connection_is_kept_as_long_as_it_is_well() -> None:
    heard: Heard = []
    stopper = Stopper()
    work = Played(["well"] * 5, stopper)
    Service([MailboxThread("m", Quiet("m", heard))], work, stopper, poll=60, retry=lambda faults: 1).run()
    assert [what for what, _ in heard if what != "wait"] == ["open", "closed"]
