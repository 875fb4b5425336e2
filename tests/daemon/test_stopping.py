"""SIGTERM in each of eight phases: status 0 within the limit, and the next start goes on."""

import os
import signal
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bounce_watch.cli.common.cycle import look_once
from bounce_watch.cli.common.open_store import run_context
from bounce_watch.config.load import load_config, read_config
from bounce_watch.daemon.signals import FORCE_AFTER
from bounce_watch.model import OutboxState
from bounce_watch.pipeline import run_due_work
from bounce_watch.pipeline.wiring import sender_of
from bounce_watch.store import open_store, store_location
from tests.daemon.running import Running, wait_for
from tests.pipeline.conftest import ndr
from tests.servers.kept import Keep
from tests.servers.scripted_imap import GREETING, STALL, Answer, Script, ScriptedImap

pytestmark = pytest.mark.slow

LIMIT = 0.5 + FORCE_AFTER + 1.5
"""What may pass: the limit that the tests set, the end by force, and a busy machine."""

MAIL = ndr(at=datetime.now(UTC))
NOW = datetime.now(UTC).strftime("%d-%b-%Y %H:%M:%S +0000")
LISTED = f'* 1 FETCH (UID 1 RFC822.SIZE {len(MAIL)} INTERNALDATE "{NOW}")\r\n@ OK done\r\n'.encode()
FETCHED = b"* 1 FETCH (UID 1 BODY[]<0> {%d}\r\n%s)\r\n@ OK done\r\n" % (len(MAIL), MAIL)
ONE = b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n@ OK [READ-WRITE] selected\r\n"
NONE = b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n@ OK [READ-WRITE] selected\r\n"


@pytest.fixture
def home(tmp_path: Path, keep: Keep) -> Iterator[Running]:
    password = {"BOUNCE_WATCH_IMAP_PASSWORD": "x"}
    with closing(Running(tmp_path, environ=password, store=keep(tmp_path).line)) as running:
        yield running


def healthy() -> dict[str, Answer]:
    return {"SELECT": ONE, "UID FETCH": [LISTED, FETCHED, b"@ OK done\r\n"], "IDLE": b"+ idling\r\n"}


@contextmanager
def imap(home: Running, greeting: bytes = GREETING, **answers: Answer) -> Iterator[Script]:
    """Watch a mailbox with one mail, on a server that is healthy but for these answers."""
    script = Script(
        capabilities="IMAP4rev1 MOVE UIDPLUS IDLE", answers=healthy() | answers, greeting=greeting
    )
    with ScriptedImap(script) as server:
        place = f'host = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nuser = "b"'
        home.source = f'type = "imap"\n{place}'
        home.write()
        yield script


def heal(script: Script) -> None:
    script.greeting, script.answers = GREETING, healthy()


def goes_on(home: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look once more, as the next start would: all is read once and answered once."""
    monkeypatch.setenv("BOUNCE_WATCH_IMAP_PASSWORD", "x")
    config = read_config(home.config.read_bytes(), home.config)
    with run_context(config) as context, sender_of(config) as sender:
        result, _ = look_once(config, context, lambda: False)
        run_due_work(context, sender, None, result)
        assert sum(context.store.summary.stats().messages.values()) == 1
        assert sum(context.store.summary.count_outbox().values()) == 1


@pytest.mark.parametrize(
    ("phase", "sign"),
    [
        pytest.param({"greeting": STALL}, None, id="connecting"),
        pytest.param({"LOGIN": STALL}, "LOGIN", id="signing-in"),
        pytest.param({"UID FETCH": [LISTED, STALL]}, "UID FETCH 1 (UID BODY", id="fetching"),
        pytest.param({"UID MOVE": STALL}, "UID MOVE", id="moving"),
    ],
)
def test_sigterm_while_the_mailbox_stalls(
    home: Running, phase: dict[str, Any], sign: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with imap(home, **phase) as script:
        home.start()
        if sign is None:
            wait_for(lambda: script.connections)
            wait_for(lambda: "started" in home.log())
        else:
            wait_for(lambda: any(line.startswith(sign) for line in script.heard))
        assert home.stop() < LIMIT
        heal(script)
        goes_on(home, monkeypatch)


def test_sigterm_while_waiting_for_mail_says_goodbye(home: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    home.stop_seconds = 7
    with imap(home) as script:
        home.start()
        wait_for(lambda: "IDLE" in script.heard)
        assert home.stop() < 7
        assert "DONE" in script.heard
        assert script.heard[-1] == "LOGOUT"
        script.answers["SELECT"] = NONE
        script.answers["UID FETCH"] = b"@ OK done\r\n"
        goes_on(home, monkeypatch)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_sigterm_while_a_mail_is_read(home: Running) -> None:
    """The reading process is frozen, as by a mail that takes long."""
    home.deliver(b"Subject: lunch\r\n\r\nno report\r\n", "0")
    home.start()
    wait_for(lambda: children(home.pid) if home.pid else None)
    wait_for(lambda: "1 new mails" in home.log())
    (reader,) = children(home.pid)
    os.kill(reader, signal.SIGSTOP)
    home.deliver(MAIL, "1")
    time.sleep(1.0)  # by then it was seen and handed to the reader
    assert home.stop() < LIMIT
    assert not Path(f"/proc/{reader}").exists()
    (home.folder / "mailbox" / "new" / "0").unlink()
    assert home.start("--once").end() == 0
    assert len(home.filed()) == 1


def test_sigterm_while_a_mail_is_stored(home: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes, so the transaction cannot begin; signals are not handled in that wait."""
    home.start()
    home.wait_until_started()
    with open_store(store_location(load_config(home.config).store)) as other, other.transaction():
        home.deliver(MAIL, "1")
        time.sleep(1.0)
        assert home.stop() < LIMIT
    goes_on(home, monkeypatch)
    assert len(home.filed()) == 1


class _Stalling(socketserver.StreamRequestHandler):
    """An SMTP server that never confirms what it was given."""

    def handle(self) -> None:
        self.wfile.write(b"220 mx ESMTP\r\n")
        while line := self.rfile.readline():
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in {b".\r\n", b""}:
                    pass
                self.server.got.set()  # type: ignore[attr-defined]
                self.rfile.read(1)
                return
            self.wfile.write(b"250 ok\r\n")


def test_sigterm_while_a_mail_is_sent(home: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it left is unknown, and it is not sent a second time unseen."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Stalling) as server:
        server.daemon_threads = True
        server.got = threading.Event()  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        port = server.server_address[1]
        home.send = f'type = "smtp"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nauth = "none"'
        home.write()
        home.start()
        home.wait_until_started()
        home.deliver(MAIL, "1")
        assert server.got.wait(60)  # type: ignore[attr-defined]
        assert home.stop() < LIMIT
        server.shutdown()
    goes_on(home, monkeypatch)
    with open_store(store_location(load_config(home.config).store), read_only=True) as store:
        assert store.summary.count_outbox() == {OutboxState.UNKNOWN: 1}


def test_a_second_signal_ends_it_at_once(home: Running) -> None:
    with imap(home, **{"UID FETCH": STALL}) as script:
        home.start()
        wait_for(lambda: any(line.startswith("UID FETCH") for line in script.heard))
        os.kill(home.pid, signal.SIGTERM)
        time.sleep(0.1)
        os.kill(home.pid, signal.SIGTERM)
        assert home.end() == 128 + signal.SIGTERM
