"""A day of mail, two watchers in containers that die at random, and a PostgreSQL that does too.

BOUNCE_WATCH_MAILS sets how many reports arrive in the day (1,500), BOUNCE_WATCH_SECONDS how long it takes
(600): the clock of the watchers runs as much faster.
"""

import imaplib
import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.running import FOLDER, FORKS, MAILDIR
from tests.endtoend.day_worker import DayClock, watch
from tests.pipeline.conftest import CONFIG, ndr
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.servers.kept import FILE, AtServer
from tests.servers.postgres import Postgres
from tests.servers.stores import Stores

MAILS = int(os.environ.get("BOUNCE_WATCH_MAILS", "1500"))
SECONDS = float(os.environ.get("BOUNCE_WATCH_SECONDS", "600"))
DAY, STRIKES = 86_400, 60
START = datetime(2026, 11, 23, tzinfo=UTC)
_NUMBER = re.compile(rb"^Message-ID: <report\.(\d+)@", re.MULTILINE)
_KIND = re.compile(rb"^X-Bounce-Watch-Kind: (\S+)\r$", re.MULTILINE)
_ID = re.compile(rb"^X-Bounce-Watch-ID: (\S+)\r$", re.MULTILINE)


@dataclass
class Day:
    """One mailbox, one store, and two watchers that are started again whenever they are dead."""

    folder: Path
    dovecot: Dovecot
    kept: AtServer
    clock: DayClock
    chance: random.Random
    delivered: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    watchers: dict[str, BaseProcess] = field(default_factory=dict)
    back_at: dict[str, float] = field(default_factory=dict)
    children: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        source = (
            f'type = "imap"\nhost = "localhost"\nport = {self.dovecot.imaps_port}\nuser = "{WATCHED}"\n'
            f'password = "{PASSWORD}"\nca_file = "{self.dovecot.certificates.ca_file}"'
        )
        text = CONFIG.replace(MAILDIR, source).replace(FOLDER, FOLDER.replace("sent", f"{self.folder}/sent"))
        much = "settle_seconds = 0\nper_minute = 99999\nper_hour = 99999\nhold_backlog_over = 99999"
        text = text.replace(FILE, self.kept.line).replace("settle_seconds = 0", much)
        self.config.write_text(text.replace('"23:30:00"', '"07:00:00"'))
        self.config.chmod(0o600)

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def start(self, name: str) -> None:
        self.back_at.pop(name, None)
        self.watchers[name] = FORKS.Process(target=watch, args=(self.config, self.clock, self.folder / name))
        self.watchers[name].start()

    def start_who_is_due(self) -> None:
        for name in [name for name, moment in self.back_at.items() if time.monotonic() >= moment]:
            self.start(name)

    def deliver_until_now(self, share: float) -> None:
        """Deliver what of the day's mail has arrived by now, with the simulated time as its date."""
        count = min(MAILS, int(MAILS * share)) - self.delivered
        if count <= 0:
            return
        now = self.clock()
        with self.dovecot.sign_in() as client:
            for number in range(self.delivered, self.delivered + count):
                mail = ndr(f"p{number}@larkfield.example", f"x@d{number % 50}.example", number=number, at=now)
                assert client.append("INBOX", "", imaplib.Time2Internaldate(now), mail)[0] == "OK"
        self.delivered += count

    def strike(self) -> None:
        """Let one of the bad things happen."""
        kinds = ("kill", "kill", "kill", "kill both", "sessions", "sessions", "server")
        kind = self.chance.choice(kinds)
        self.struck[kind] += 1
        match kind:
            case "sessions":
                self.kept.stores.postgres.sql(_END_SESSIONS)
            case "server":
                self.kept.stores.postgres.stop()
                time.sleep(self.chance.uniform(0, 2))
                self.kept.stores.postgres.start()
            case _:
                alive = [name for name in self.watchers if name not in self.back_at]
                for name in alive if kind == "kill both" else alive[: self.chance.randint(1, 2)][-1:]:
                    self.kill(name)

    def kill(self, name: str) -> None:
        """Kill a watcher; what it started must end by itself."""
        process = self.watchers[name]
        with suppress(OSError):
            found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            self.children |= set(map(int, found.split()))
        process.kill()
        process.join()
        self.back_at[name] = time.monotonic() + self.chance.uniform(0, 2)

    def is_done(self) -> bool:
        waiting = [path for name in ("new", "cur") for path in self.inbox.glob(f"{name}/*")]
        return not waiting and self.kept.ask(_NOT_SENT) == [(0,)] and self.kept.ask(_NOT_FILED) == [(0,)]

    @property
    def inbox(self) -> Path:
        return self.dovecot.root / "mail" / "bounces"

    def log(self) -> str:
        paths = (self.folder / name for name in self.watchers)
        return "".join(path.read_text() for path in paths if path.exists())

    def close(self) -> None:
        for process in self.watchers.values():
            process.kill()
            process.join()


_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bouncewatch'"
_NOT_SENT = "SELECT count(*) FROM outgoing WHERE state <> 'sent'"
_NOT_FILED = "SELECT count(*) FROM message WHERE state <> 'filed'"


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    with Postgres() as postgres, Stores(postgres) as stores, Dovecot() as dovecot:
        clock = DayClock(START, time.time(), DAY / SECONDS)
        kept = AtServer(stores, stores.made())
        with closing(Day(tmp_path, dovecot, kept, clock, random.Random(20261123))) as day:
            yield day


@pytest.mark.proof
@pytest.mark.servers
@pytest.mark.timeout(3600)
def test_a_day_with_random_deaths_loses_and_doubles_nothing(day: Day) -> None:
    begun = time.monotonic()
    for name in ("first", "second"):
        day.start(name)
    next_strike = begun + 10
    while (share := (time.monotonic() - begun) / SECONDS) < 1:
        day.deliver_until_now(share)
        day.start_who_is_due()
        if time.monotonic() >= next_strike:
            day.strike()
            next_strike = time.monotonic() + day.chance.uniform(0.5, 1.5) * SECONDS / STRIKES
        time.sleep(0.2)
    day.deliver_until_now(1)
    finish(day)
    tell(day, time.monotonic() - begun)
    assert_whole(day)


def finish(day: Day) -> None:
    until = time.monotonic() + 300
    while not day.is_done():
        day.start_who_is_due()
        assert time.monotonic() < until, day.log()[-5000:]
        time.sleep(0.5)
    day.close()


def tell(day: Day, seconds: float) -> None:
    states = day.kept.ask("SELECT kind, count(*) FROM outgoing GROUP BY 1 ORDER BY 1")
    print(f"\n{day.delivered} reports in a day of {seconds:.0f} s, {dict(day.struck)}; mails {dict(states)}")


def assert_whole(day: Day) -> None:
    lying = [path.read_bytes() for path in day.inbox.glob(".Bounces.Filed/*/*.*")]
    numbers = Counter(int(match[1]) for mail in lying if (match := _NUMBER.search(mail)))
    assert numbers == dict.fromkeys(range(MAILS), 1)
    assert not list(day.inbox.glob(".Bounces.Quarantine/*/*.*"))
    ask: Any = day.kept.ask
    assert ask("SELECT count(*), count(DISTINCT fingerprint) FROM report") == [(MAILS, MAILS)]
    mails = [path.read_bytes() for path in (day.folder / "sent").glob("*.eml")]
    ids = Counter(match[1] for mail in mails if (match := _ID.search(mail)))
    assert set(ids.values()) == {1}
    assert ids.total() == len(mails) == ask("SELECT count(*) FROM outgoing")[0][0]
    kinds = Counter(match[1].decode() for mail in mails if (match := _KIND.search(mail)))
    assert (kinds["reply"], kinds["digest"]) == (MAILS, 1)
    people = ask("SELECT count(DISTINCT recipient) FROM outgoing WHERE kind = 'reply'")
    assert people == [(MAILS,)]
    assert "Traceback" not in day.log()
    time.sleep(1)
    assert not [number for number in day.children if Path(f"/proc/{number}/exe").exists()]
