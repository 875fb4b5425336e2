"""Who looks at the service from outside: figures in a file, and a heartbeat."""

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from bounce_watch.daemon.work import Monitor
from bounce_watch.pipeline.digest import gather
from bounce_watch.pipeline.health import Level, judge_health
from bounce_watch.pipeline.result import CycleResult
from bounce_watch.pipeline.wiring import source_names
from bounce_watch.send.heartbeat import Heartbeat
from bounce_watch.source.interface import Unreachable
from tests.daemon.running import wait_for
from tests.pipeline.conftest import Home, ndr


@contextmanager
def listening(answer: int = 200) -> Iterator[tuple[str, list[str]]]:
    heard: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(answer)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/ping/secret-uuid", heard
        server.shutdown()


def test_the_heart_beats_once_a_minute_at_most() -> None:
    with listening() as (url, heard):
        heart = Heartbeat(url)
        for _ in range(5):
            heart.beat()
            heart.wait()
        assert heard == ["/ping/secret-uuid"]
        quick = Heartbeat(url, pause=0)
        quick.beat()
        quick.wait()
        quick.beat()
        quick.wait()
        assert len(heard) == 3


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/ping/secret-uuid", "nonsense secret-uuid", "http://[::1/secret-uuid"]
)
def test_a_heartbeat_that_nobody_hears_is_told_once_without_its_secret(url: str) -> None:
    with structlog.testing.capture_logs() as logs:
        heart = Heartbeat(url, pause=0)
        for _ in range(2):
            heart.beat()
            heart.wait()
    assert [entry["event"] for entry in logs] == ["heartbeat_not_heard"]
    assert "secret-uuid" not in str(logs)


def test_a_slow_listener_gets_one_question_at_a_time() -> None:
    began = time.monotonic()
    with socket_that_says_nothing() as (url, connections):
        heart = Heartbeat(url, pause=0)
        for _ in range(10):
            heart.beat()
            time.sleep(0.01)
        assert len(connections) <= 1
    assert time.monotonic() - began < 5


@contextmanager
def socket_that_says_nothing() -> Iterator[tuple[str, list[object]]]:
    import socket

    connections: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            try:
                while True:
                    connections.append(server.accept())
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", connections
        for connection in connections:
            connection[0].close()  # type: ignore[index]
        server.shutdown(socket.SHUT_RDWR)


def test_figures_are_written_whole_and_readable(open_home: Callable[..., Home], tmp_path: Path) -> None:
    home: Home = open_home(("[digest]", '[monitor]\ntextfile = "bw.prom"\n[digest]'))
    name = f"maildir:{tmp_path / 'mailbox'}"
    monitor = Monitor(home.context, {"europe": name})
    home.deliver(ndr(), "1")
    result = home.look()
    monitor.on_success(name, "europe")
    monitor.on_work_done(result)
    text = (tmp_path / "bw.prom").read_text()
    assert 'bounce_watch_messages_total{kind="failure"} 1.0' in text
    assert 'bounce_watch_part_status{part="mailbox europe"} 0.0' in text
    assert (tmp_path / "bw.prom").stat().st_mode & 0o777 == 0o644
    assert not list(tmp_path.glob(".bw.prom*"))


def test_figures_that_cannot_be_written_stop_nothing(open_home: Callable[..., Home], tmp_path: Path) -> None:
    home: Home = open_home(("[digest]", '[monitor]\ntextfile = "away/bw.prom"\n[digest]'))
    monitor = Monitor(home.context, {})
    with structlog.testing.capture_logs() as logs:
        monitor.on_work_done(CycleResult())
    assert [entry["event"] for entry in logs] == ["figures_not_written"]


def test_the_heart_stands_still_while_one_mailbox_is_ill(
    open_home: Callable[..., Home], tmp_path: Path
) -> None:
    with listening() as (url, heard):
        home: Home = open_home(("[digest]", f'[monitor]\nheartbeat_url = "{url}"\n[digest]'))
        monitor = Monitor(home.context, {"europe": "a", "asia": "b"})
        read(home, "a", "b")
        monitor.on_failure("b", "asia", Unreachable("away"))
        monitor.on_success("a", "europe")
        time.sleep(0.1)
        assert heard == []
        monitor.on_success("b", "asia")
        wait_for(lambda: heard)
        assert len(heard) == 1


def read(home: Home, *names: str) -> None:
    with home.context.store.transaction() as tx:
        for name in names:
            tx.mailboxes.note_fetch(home.clock.now, name)


@pytest.mark.parametrize(
    ("unread", "state"), [(timedelta(minutes=29), "ok"), (timedelta(hours=5), "failure")], ids=["29m", "5h"]
)
def test_an_unread_mailbox_is_judged_alike_by_status_digest_metrics_and_heartbeat(
    open_home: Callable[..., Home], tmp_path: Path, unread: timedelta, state: str
) -> None:
    with listening() as (url, heard):
        monitored = f'[monitor]\ntextfile = "bw.prom"\nheartbeat_url = "{url}"\n[digest]'
        home: Home = open_home(("[digest]", monitored))
        (name,) = source_names(home.config).values()
        monitor = Monitor(home.context, {"europe": name, "asia": "b"})
        read(home, name)
        home.clock.now += unread
        read(home, "b")
        monitor.on_success("b", "asia")
        monitor.on_work_done(CycleResult())
        judged = judge_health(
            home.context.store, home.config, home.clock.now, sources={"europe": name}, workers=None
        )
        (line,) = (line for line in judged if line.name == "mailbox europe")
        told = {one.name: one.state for one in gather(home.config, home.context.store, home.clock.now).health}
        level = {"ok": Level.OK, "failure": Level.CRITICAL}[state]
        assert line.level is level
        assert told["Mailbox"] == state
        figures = (tmp_path / "bw.prom").read_text()
        assert f'bounce_watch_part_status{{part="mailbox europe"}} {float(level)}' in figures
        if state == "ok":
            wait_for(lambda: heard)
        else:
            time.sleep(0.1)
        assert len(heard) == (state == "ok")


@pytest.mark.slow
def test_mail_that_cannot_leave_stops_the_heartbeat_and_is_logged_once(
    open_home: Callable[..., Home], tmp_path: Path
) -> None:
    with listening() as (url, heard):
        home = open_home(("[digest]", f'[monitor]\nheartbeat_url = "{url}"\n[digest]'))
        name = f"maildir:{tmp_path / 'mailbox'}"
        home.look()
        home.deliver(ndr(reply="550 5.1.8 bad outbound sender AS(42004)", status="5.1.8", remote=None), "1")
        with home.context.store.transaction() as tx:
            tx.state.note_stop("535 5.7.139 sign-in refused", home.clock.now)
        home.look()
        home.clock.now += timedelta(minutes=2)
        monitor = Monitor(home.context, {"europe": name})
        with structlog.testing.capture_logs() as logs:
            monitor.on_work_done(CycleResult())
            monitor.on_work_done(CycleResult())
        monitor.on_success(name, "europe")
        time.sleep(0.2)
    assert heard == []
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("mail_cannot_leave", "error")]
