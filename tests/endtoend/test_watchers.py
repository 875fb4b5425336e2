"""Two watchers, one store at a server, one mailbox or two, kill -9 among them: nothing twice or missed."""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bounce_watch.config.load import load_config
from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.pipeline import CycleResult, open_context, run_due_work
from bounce_watch.send import FolderSender
from bounce_watch.store import Server, Store
from tests.daemon.running import FOLDER, MAILDIR, Running
from tests.pipeline.conftest import ndr
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.servers.stores import Stores
from tests.store.committed import committed

_MUCH = "per_minute = 99999\nper_hour = 99999\nhold_backlog_over = 99999"

# Who has messages in hand. The lock of those who store is one with a small number.
_IN_HAND = """
SELECT DISTINCT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint <> 0 AND granted ORDER BY 1
"""


@dataclass
class Site:
    """Mailboxes, one way out and one store; `watchers` are processes, each with its own configuration."""

    folder: Path
    server: Server
    stores: Stores
    boxes: tuple[str, ...] = ("box",)
    delivered: int = 0
    watchers: dict[str, Running] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)

    def source(self, mailbox: str) -> str:
        return MAILDIR.replace("mailbox", str(self.folder / mailbox))

    def watch(self, name: str, mailbox: str) -> Running:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        # How quickly one stops on a busy machine is proved elsewhere.
        running = Running(folder, source=self.source(mailbox), environ=self.environ, stop_seconds=20)
        url = self.stores.postgres.url(self.server.url.database or "")
        text = running.config.read_text()
        for old, new in (
            ('path = "store.db"', f'url = "{url}"'),
            (FOLDER, FOLDER.replace("sent", str(self.folder / "sent"))),
            ("settle_seconds = 0", f"settle_seconds = 0\n{_MUCH}"),
            ("poll_seconds = 60", "poll_seconds = 1"),
        ):
            assert old in text
            text = text.replace(old, new)
        running.config.write_text(text)
        self.watchers[name] = running
        return running.start()

    def fill(self, count: int) -> None:
        """Deliver so many more messages, spread over the mailboxes."""
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        numbers = range(self.delivered, self.delivered + count)
        self.deliver(
            {
                number: ndr(f"p{number}@larkfield.example", f"x@d{number % 50}.example", number=number, at=at)
                for number in numbers
            }
        )
        self.delivered += count

    def deliver(self, mails: dict[int, bytes]) -> None:
        for number, content in mails.items():
            box = self.folder / self.boxes[number % len(self.boxes)]
            for name in ("cur", "new", "tmp"):
                (box / name).mkdir(parents=True, exist_ok=True)
            (box / "tmp" / f"{number}.a").write_bytes(content)
            (box / "tmp" / f"{number}.a").rename(box / "new" / f"{number}.a")

    def filed(self) -> list[str]:
        return [path.name for path in self.folder.glob("box*/.Filed/*/*")]

    def waiting(self) -> list[Path]:
        return [path for name in ("new", "cur") for path in self.folder.glob(f"box*/{name}/*")]

    def at_work(self) -> list[str]:
        """Return the names of the watchers that have messages in hand."""
        found = self.stores.postgres.sql(_IN_HAND, self.server.url.database or "")
        pids = {int(name.rpartition(":")[2]) for (name,) in found}
        return [name for name, running in self.watchers.items() if running.pid in pids]

    def wait_until(self, found: Callable[[], object]) -> None:
        """Wait as long as it goes on: every answer that is composed takes its time on a busy machine."""
        before, since = -1, 0.0
        while not found():
            if (filed := len(self.filed())) != before:
                before, since = filed, time.monotonic()
            assert time.monotonic() - since < 60, "".join(one.log() for one in self.watchers.values())
            time.sleep(0.05)

    def wait_for_victim(self, step: int) -> str:
        """Return the watchers at work once this many more are filed; deliver more if they finish early."""
        goal, victims = len(self.filed()) + step, list[str]()

        def is_met() -> bool:
            if not self.waiting():
                self.fill(step)
            if len(self.filed()) >= goal:
                victims.extend(self.at_work())
            return bool(victims)

        self.wait_until(is_met)
        return victims[0]

    def settle(self) -> None:
        """Do as the leader does when the grace of what the dead were sending is over."""
        config = load_config(next(iter(self.watchers.values())).config)
        with Store.open(self.server) as store, FolderSender(self.folder / "sent") as sender:
            committed(store).outbox.recover(datetime.now(UTC))
            later = datetime.now(UTC) + timedelta(minutes=11)
            with closing(open_context(config, store, lambda: later)) as context:
                run_due_work(context, sender, sender, CycleResult())

    def close(self) -> None:
        for running in self.watchers.values():
            running.close()


@dataclass(kw_only=True)
class ImapSite(Site):
    """The same with one mailbox at a Dovecot, where a walk begins at a cursor that both share."""

    dovecot: Dovecot

    def source(self, mailbox: str) -> str:
        self.environ = {"BOUNCE_WATCH_IMAP_PASSWORD": PASSWORD}
        return (
            f'type = "imap"\nhost = "localhost"\nport = {self.dovecot.imaps_port}\nuser = "{WATCHED}"\n'
            f'ca_file = "{self.dovecot.certificates.ca_file}"'
        )

    def deliver(self, mails: dict[int, bytes]) -> None:
        self.dovecot.append(list(mails.values()))

    def filed(self) -> list[str]:
        return [path.name for path in self._in(".Bounces.Filed/*")]

    def waiting(self) -> list[Path]:
        return [path for name in ("new", "cur") for path in self._in(name)]

    def _in(self, folder: str) -> list[Path]:
        return list((self.dovecot.root / "mail" / "bounces").glob(f"{folder}/*.*"))


@pytest.fixture
def site(tmp_path: Path, stores: Stores) -> Iterator[Site]:
    with closing(Site(tmp_path, stores.empty(), stores)) as site:
        yield site


def lives_through(site: Site, messages: int, kills: int, *, both: bool) -> None:
    """Let two watchers work, kill who is at it again and again, and look at everything that came of it."""
    site.fill(messages)
    names = {"first": site.boxes[0], "second": site.boxes[-1]}
    for name, box in names.items():
        site.watch(name, box)
    if both:
        site.wait_until(lambda: len(site.at_work()) == 2)
    for _ in range(kills):
        victim = site.wait_for_victim(step=messages // (kills + 2))
        os.kill(site.watchers[victim].pid, signal.SIGKILL)
        site.watchers[victim].end()
        site.watch(victim, names[victim])
    site.wait_until(lambda: not site.waiting())
    for running in site.watchers.values():
        # The victim may still be starting: before its handlers are set, a signal is its end.
        running.wait_until_started()
        running.stop()
    site.settle()
    nothing_twice_nothing_missed(site, site.delivered)


def nothing_twice_nothing_missed(site: Site, messages: int) -> None:
    assert len(site.filed()) == len(set(site.filed())) == messages
    with Store.open(site.server, read_only=True) as store:
        assert store.summary.stats().messages == {"failure": messages}
        assert store.history.count() == messages
        assert store.summary.stats().duplicates == 0
        mails = store.outbox.list(limit=10 * messages)
    assert {mail.state for mail in mails} == {OutboxState.SENT}
    written = Counter(mail.recipient for mail in mails if mail.kind is LetterKind.REPLY)
    assert written == Counter(f"p{number}@larkfield.example" for number in range(messages))
    sent = [path.read_bytes() for path in (site.folder / "sent").glob("*.eml")]
    marks = Counter(found[1] for mail in sent if (found := re.search(rb"X-Bounce-Watch-ID: (\S+)", mail)))
    assert set(marks.values()) == {1}
    assert {mark.decode() for mark in marks} == {mail.bw_id for mail in mails}


def test_two_watchers_share_one_mailbox_though_one_is_killed(site: Site) -> None:
    lives_through(site, messages=51, kills=1, both=False)


@pytest.mark.proof
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("boxes", [("box",), ("box-a", "box-b")], ids=["one mailbox", "two mailboxes"])
def test_two_watchers_share_a_store_through_many_kills(site: Site, boxes: tuple[str, ...]) -> None:
    site.boxes = boxes
    lives_through(site, messages=800, kills=6, both=True)


@pytest.mark.proof
@pytest.mark.servers
@pytest.mark.timeout(1_200)
def test_two_watchers_share_an_imap_mailbox_through_many_kills(
    tmp_path: Path, stores: Stores, dovecot: Dovecot
) -> None:
    """Where one left off the other begins; what the dead had in hand is found all the same."""
    site = ImapSite(folder=tmp_path, server=stores.empty(), stores=stores, dovecot=dovecot)
    with closing(site):
        lives_through(site, messages=400, kills=5, both=False)
        filed = b"".join(dovecot.contents(folder="Bounces/Filed"))
        held = Counter(re.findall(rb"Message-ID: <report\.(\d+)@", filed))
        assert len(held) == held.total() == site.delivered
