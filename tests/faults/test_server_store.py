"""A PostgreSQL that fails at any one statement: nothing is lost, doubled or quarantined, all goes on.

The loop of test_disk.py: let the n-th statement fail, for n from one until none fails any more.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from bounce_watch.daemon import loop
from bounce_watch.store import StoreBusy, StoreRefused, StoreTemporary, StoreUnreachable
from bounce_watch.store.database.driver_errors import read_fault
from tests.faults.disk_worker import Worker
from tests.safety.lab import Lab, assert_whole, report
from tests.safety.test_crashes import GARBAGE, NEWSLETTER
from tests.servers.kept import AtServer
from tests.servers.postgres import ROLE, Postgres, Standby
from tests.servers.stores import Stores

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@dataclass
class FailingServer:
    """Ends all our sessions before the n-th statement; `kind` tells what new ones hear until it is healed.

    `commit lost`: what was committed stays, and its answer never arrives.
    """

    stores: Stores
    kind: str
    first: int = 0
    database: str = ""
    seen: int = 0
    failures: int = 0
    is_ill: bool = False

    WORDS: ClassVar[dict[str, tuple[str, str]]] = {
        "ended": ("", ""),
        "commit lost": ("", ""),
        "crowded": (f"ALTER ROLE {ROLE} CONNECTION LIMIT 0", f"ALTER ROLE {ROLE} CONNECTION LIMIT -1"),
        "locked out": (f"ALTER ROLE {ROLE} NOLOGIN", f"ALTER ROLE {ROLE} LOGIN"),
        "read-only": (
            "ALTER DATABASE {} SET default_transaction_read_only = on",
            "ALTER DATABASE {} RESET default_transaction_read_only",
        ),
    }

    def disarm(self) -> None:
        self.first = 0
        if self.is_ill:
            self._say(1)

    def step(self, *_: object) -> None:
        """Count a statement, and break at the one that was asked for."""
        self.seen += 1
        if self.seen != self.first:
            return
        self.failures += 1
        self._say(0)
        ours = f"FROM pg_stat_activity WHERE datname = '{self.database}'"
        self.stores.postgres.sql(f"SELECT pg_terminate_backend(pid, 5000) {ours}")

    def _say(self, which: int) -> None:
        self.is_ill = not which
        if words := self.WORDS[self.kind][which]:
            self.stores.postgres.sql(words.format(self.database))

    @contextmanager
    def watching(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Count the statements or the commits of all engines."""
        if self.kind == "commit lost":
            commit: Any = PGDialect_psycopg.do_commit

            def do_commit(dialect: PGDialect_psycopg, connection: Any) -> None:
                commit(dialect, connection)
                self.step()
                if self.seen == self.first:
                    raise psycopg.OperationalError("server closed the connection unexpectedly")

            with monkeypatch.context() as patch:
                patch.setattr(PGDialect_psycopg, "do_commit", do_commit)
                yield
        else:
            event.listen(Engine, "before_cursor_execute", self.step)
            try:
                yield
            finally:
                event.remove(Engine, "before_cursor_execute", self.step)


@pytest.fixture
def first(tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab that has worked before, with new mail and with the digest of the next day due."""
    monkeypatch.setattr(loop, "MIN_INTERVAL", 0.0)  # no pause between two looks that find nothing
    (folder := tmp_path / "first").mkdir()
    lab = Lab(folder, store=AtServer(stores, stores.made()))
    Worker(lab, FailingServer(stores, "ended")).run()
    for mail in (lab.folder / "sent").glob("*.eml"):
        mail.unlink()
    lab.minutes += 24 * 60
    for content in (report(1), NEWSLETTER, report(2), GARBAGE):
        lab.deliver(content)
    return lab


def fail_at_statements(first: Lab, kind: str, step: int, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Let each statement fail whose number is a multiple of `step`; return what was said of the faults."""
    said: Counter[str] = Counter()
    for number in count(step, step):
        lab = first.copy(first.folder.with_name("lab"))
        assert isinstance(lab.at, AtServer)
        server = FailingServer(lab.at.stores, kind, number, lab.at.database)
        worker = Worker(lab, server)
        try:
            with server.watching(monkeypatch):
                worker.run()
        finally:
            server.disarm()
        if server.failures:
            assert_whole(lab, reports=2, others=1, garbage=1, mails=lab.sent())
        said.update(text.partition(":")[0] for text in worker.said)
        lab.at.stores.postgres.drop(lab.at.database)
        lab.remove()
        if not server.failures:
            return said
        said["positions"] += 1
    raise AssertionError


@pytest.mark.parametrize(("kind", "step"), [("ended", 79), ("commit lost", 17)])
def test_some_statements_at_which_the_server_fails(
    first: Lab, kind: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fail_at_statements(first, kind, step, monkeypatch)["positions"] >= 2


@pytest.mark.proof
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("kind", "step"),
    [("ended", 3), ("commit lost", 1), ("crowded", 11), ("locked out", 11), ("read-only", 7)],
)
def test_each_statement_at_which_the_server_fails(
    first: Lab, kind: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some kinds at some statements only: each takes seconds."""
    said = fail_at_statements(first, kind, step, monkeypatch)
    print(f"\n{kind}: {dict(said)}")
    assert said["positions"] >= 15


@dataclass(frozen=True, slots=True)
class AtTwo(AtServer):
    """A store at two servers, one of which takes changes."""

    line: str = ""


@dataclass
class Failover(FailingServer):
    """Ends the primary before a statement; the standby is promoted a moment later."""

    primary: Postgres = field(kw_only=True)
    standby: Standby = field(kw_only=True)

    def step(self, *_: object) -> None:
        self.seen += 1
        if self.seen == self.first:
            self.failures += 1
            self.primary.stop()
            threading.Timer(0.5, self.standby.promote).start()


@pytest.mark.proof
@pytest.mark.parametrize("number", [60, 110, 160, 210])
def test_a_standby_takes_over_in_the_middle(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are named in store.url; what was committed is there, for the primary waited for the standby."""
    with Postgres() as primary, Stores(primary) as stores:
        database = stores.made()
        with Standby(primary) as standby, Stores(standby) as later:
            hosts = f"host={primary.root},{standby.root}&port={primary.port},{standby.port}"
            url = f"postgresql://{ROLE}@/{database}?{hosts}&target_session_attrs=read-write"
            lab = Lab(tmp_path, store=AtTwo(later, database, f'url = "{url}"'))
            for content in (report(1), NEWSLETTER, report(2), GARBAGE):
                lab.deliver(content)
            server = Failover(stores, "ended", number, primary=primary, standby=standby)
            worker = Worker(lab, server, pause=0.2)
            with server.watching(monkeypatch):
                worker.run()
            assert server.failures
            assert_whole(lab, reports=2, others=1, garbage=1, mails=lab.sent())
            print(Counter(text.partition(":")[0] for text in worker.said))


@pytest.mark.parametrize(
    ("words", "fault", "repair"),
    [
        ('FATAL:  too many connections for role "bouncewatch"', StoreBusy, "max_connections"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            StoreBusy,
            "max_connections",
        ),
        ("FATAL:  no more connections allowed (max_client_conn)", StoreBusy, "max_connections"),
        ("FATAL:  das Datenbanksystem startet", StoreUnreachable, "by ourselves"),
        ("FATAL:  the database system is not yet accepting connections", StoreUnreachable, "by ourselves"),
        ("session is read-only", StoreUnreachable, "by ourselves"),
        ('FATAL:  no pg_hba.conf entry for host "192.0.2.7"', StoreRefused, "pg_hba.conf"),
        ('FATAL:  role "bouncewatch" is not permitted to log in', StoreRefused, "store.url"),
    ],
)
def test_a_connection_that_fails_passes_unless_an_admin_must_act(
    words: str, fault: type[StoreTemporary], repair: str
) -> None:
    """A server that starts was taken for one that refuses us, where it does not speak English."""
    found = read_fault(psycopg.OperationalError(f"connection failed: {words}"))
    assert type(found) is fault
    assert repair in found.repair


@pytest.mark.parametrize(
    "kind",
    [
        psycopg.errors.ConfigurationLimitExceeded,
        psycopg.errors.ObjectInUse,
        psycopg.errors.InternalError_,
        psycopg.errors.DatabaseDropped,
    ],
)
def test_a_fault_of_the_server_never_counts_against_the_message_in_hand(kind: type[psycopg.Error]) -> None:
    """Three of them put a sound message into the quarantine."""
    assert type(read_fault(kind("no"))) is StoreTemporary
    assert read_fault(psycopg.errors.DataError("no")) is None
    assert read_fault(psycopg.errors.UndefinedColumn("no")) is None
