"""A service under mixed mail with hostile mail in it and kills between: complete, flat, and in time.

BOUNCE_WATCH_MAILS sets how many mails arrive (24,000), BOUNCE_WATCH_KILLS how often the service dies (12).
"""

import os
import random
import re
import signal
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.daemon.running import Running
from tests.parse.hostile import HOSTILE, HOSTILE_HEADERS
from tests.pipeline.conftest import ndr
from tests.sandbox.test_reader import WORDY
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.servers.kept import InFile

MAILS = int(os.environ.get("BOUNCE_WATCH_MAILS", "24000"))
KILLS = int(os.environ.get("BOUNCE_WATCH_KILLS", "12"))
PER_SECOND, BATCH = 40, 10
MAX_WAITING = 10
"""Mails that may wait when the next ones come: what is measured is what hostile mail does, not a queue."""
HOSTILE_EVERY = 1_200
BURST, ALARM_EVERY = 12, 300
"""Every 1,200 mails twelve hostile ones, and a good alarm right behind each burst."""
LATEST_SECONDS, MAX_GROWTH_MB = 5.0, 8.0
PEOPLE = 300

_NUMBER = re.compile(rb"^X-Number: (\d+)", re.MULTILINE)
_ALARM = re.compile(rb"^Senders: +alarm(\d+)@", re.MULTILINE)
_LOOKED_AT = "SELECT count(*) FROM message WHERE state <> 'stored'"
_SAMPLES = Path(__file__).parents[1] / "samples"
_OTHERS = [
    path.read_bytes()
    for path in sorted((_SAMPLES / "not_a_report").glob("*.eml"))
    + sorted((_SAMPLES / "forwarded").glob("*.eml"))
    + sorted((_SAMPLES / "systems").glob("*.eml"))
]
_HOSTILE = [WORDY, *HOSTILE.values(), *HOSTILE_HEADERS.values()]


def blocked(number: int) -> bytes:
    """Return the report that an account of ours is blocked, which is told at once."""
    return ndr(
        f"alarm{number}@larkfield.example",
        "x@fabrikam.example",
        number=number,
        at=datetime.now(UTC),
        reply="550 5.1.8 Access denied, bad outbound sender AS(42004)",
        status="5.1.8",
        remote=None,
    )


@dataclass
class Feed:
    """Mixed mail, written into the Maildir of a running Dovecot; `alarms` tells when each one arrived."""

    dovecot: Dovecot
    chance: random.Random
    delivered: int = 0
    hostile: int = 0
    reports: set[int] = field(default_factory=set)
    alarms: dict[int, float] = field(default_factory=dict)

    @property
    def inbox(self) -> Path:
        return self.dovecot.root / "mail" / "bounces"

    def deliver(self, raw: bytes) -> int:
        self.delivered += 1
        name = f"{time.time():.6f}.{self.delivered}.host"
        aside = self.inbox / "tmp" / name
        aside.write_bytes(b"X-Number: %d\r\n%s" % (self.delivered, raw))
        os.chown(aside, self.dovecot.account.pw_uid, self.dovecot.account.pw_gid)
        aside.rename(self.inbox / "new" / name)
        return self.delivered

    def deliver_some(self) -> None:
        for _ in range(BATCH):
            if self.delivered % HOSTILE_EVERY < BURST and self.delivered > BURST:
                self.hostile += 1
                self.deliver(self.chance.choice(_HOSTILE))
            elif self.delivered % ALARM_EVERY == BURST:
                self.alarm()
            elif self.chance.random() < 0.1:
                self.deliver(self.chance.choice(_OTHERS))
            else:
                self.report()

    def report(self) -> None:
        number = self.delivered + 1
        person, domain = self.chance.randrange(PEOPLE), self.chance.randrange(200)
        raw = ndr(f"p{person}@larkfield.example", f"x@d{domain}.example", number=number, at=datetime.now(UTC))
        self.reports.add(self.deliver(raw))

    def alarm(self) -> None:
        number = self.delivered + 1
        self.reports.add(self.deliver(blocked(number)))
        self.alarms[number] = time.time()

    def places(self, pattern: str) -> list[Path]:
        return list(self.inbox.glob(f"{pattern}/*.*"))

    def numbers(self, pattern: str) -> Counter[int]:
        """Return the numbers of the mails that lie in a folder."""
        found = (_NUMBER.search(path.read_bytes()) for path in self.places(pattern))
        return Counter(int(match[1]) for match in found if match)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[Running, Feed]]:
    with Dovecot(large=True) as dovecot:
        running = Running(
            tmp_path,
            source=f'type = "imap"\nhost = "localhost"\nport = {dovecot.imaps_port}\nuser = "{WATCHED}"\n'
            f'ca_file = "{dovecot.certificates.ca_file}"',
            environ={"BOUNCE_WATCH_IMAP_PASSWORD": PASSWORD},
            stop_seconds=20,
        )
        limits = "settle_seconds = 0\nper_minute = 99999\nper_hour = 99999\n[alerts]\nper_hour = 99999"
        running.config.write_text(running.config.read_text().replace("settle_seconds = 0", limits))
        dovecot.append([ndr(at=datetime.now(UTC))], folder="INBOX")  # Dovecot makes the Maildir
        with closing(running):
            running.start().wait_until_started()
            yield running, Feed(dovecot, random.Random(20261130))


@dataclass
class Watch:
    """What the service's processes held over time, in MB, and its open files."""

    running: Running
    held: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def look(self) -> None:
        status = Path(f"/proc/{self.running.pid}/status").read_text()
        self.held.append(int(status.partition("VmRSS:")[2].split()[0]) / 1024)
        self.files.append(len(list(Path(f"/proc/{self.running.pid}/fd").iterdir())))


def wait_until_worked_off(running: Running, feed: Feed, most: int = 0) -> None:
    """Wait until at most so many mails are still to be looked at, as long as it goes on."""
    kept, before, since = InFile(running.folder), -1, time.monotonic()
    while (waiting := 1 + feed.delivered - kept.ask(_LOOKED_AT)[0][0]) > most:
        if waiting != before:
            before, since = waiting, time.monotonic()
        assert time.monotonic() - since < 120, f"{waiting} mails wait: {running.log()[-3000:]}"
        time.sleep(0.1)


@pytest.mark.proof
@pytest.mark.servers
@pytest.mark.timeout(3600)
def test_mixed_and_hostile_mail_with_kills_is_complete_and_alarms_are_in_time(
    service: tuple[Running, Feed],
) -> None:
    running, feed = service
    kill_at = sorted(feed.chance.sample(range(200, MAILS * 2 // 3), KILLS))
    killed_at, watch, begun = list[float](), Watch(running), time.monotonic()
    while feed.delivered < MAILS:
        turn = time.monotonic()
        feed.deliver_some()
        if kill_at and feed.delivered >= kill_at[0]:
            kill_at.pop(0)
            killed_at.append(time.time())
            os.kill(running.pid, signal.SIGKILL)
            running.end()
            running.start()
        elif feed.delivered > MAILS * 3 // 4 and feed.delivered % 500 == 0:
            watch.look()
        time.sleep(max(0.0, turn + BATCH / PER_SECOND - time.monotonic()))
        wait_until_worked_off(running, feed, MAX_WAITING)
    took = time.monotonic() - begun
    wait_until_worked_off(running, feed)
    time.sleep(3)
    running.stop()
    late = lateness(running.folder / "sent", feed)
    struck = [s for number, s in late.items() if _is_near(feed.alarms[number], s, killed_at)]
    calm = [s for number, s in late.items() if not _is_near(feed.alarms[number], s, killed_at)]
    print(
        f"\n{feed.delivered} mails, {feed.hostile} hostile, {KILLS} kills, {took:.0f} s; "
        f"alarms: {len(calm)} in at most {max(calm):.2f} s, half in {statistics.median(calm):.2f} s; "
        f"{len(struck)} beside a kill in at most {max(struck, default=0):.2f} s\n"
        f"memory {watch.held[0]:.1f} to {watch.held[-1]:.1f} MB, files {watch.files[0]} to {watch.files[-1]}"
    )
    assert_complete(running, feed)
    assert set(late) == set(feed.alarms)
    assert max(calm) < LATEST_SECONDS
    assert watch.held[-1] - watch.held[0] < MAX_GROWTH_MB
    assert abs(watch.files[-1] - watch.files[0]) <= 2


def _is_near(arrived: float, seconds: float, kills: list[float]) -> bool:
    return any(arrived - 10 <= kill <= arrived + seconds for kill in kills)


def lateness(folder: Path, feed: Feed) -> dict[int, float]:
    """Return for each alarm the seconds between its arrival and the mail about it."""
    found: dict[int, float] = {}
    for path in folder.glob("*-alert.eml"):
        for match in _ALARM.finditer(path.read_bytes()):
            number = int(match[1])
            found[number] = min(path.stat().st_mtime - feed.alarms[number], found.get(number, 1e9))
    return found


def assert_complete(running: Running, feed: Feed) -> None:
    filed, left = feed.numbers(".Bounces.Filed/*"), feed.numbers("new") + feed.numbers("cur")
    quarantined = feed.numbers(".Bounces.Quarantine/*")
    everywhere = filed + left + quarantined
    print(f"{filed.total()} filed, {left.total()} left, {quarantined.total()} quarantined")
    assert set(everywhere) == set(range(1, feed.delivered + 1))
    assert set(everywhere.values()) == {1}
    assert feed.reports <= set(filed)
    kept = InFile(running.folder)
    kept.assert_sound()
    ids = [match[1] for path in (running.folder / "sent").glob("*.eml")
           if (match := re.search(rb"X-Bounce-Watch-ID: (\S+)", path.read_bytes()))]  # fmt: skip
    assert len(ids) == len(set(ids))
    answers = kept.ask("SELECT recipient, cause, count(*) FROM outgoing WHERE kind = 'reply' GROUP BY 1, 2")
    assert {count for *_, count in answers} == {1}
    assert "Traceback" not in running.log()
