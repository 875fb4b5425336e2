"""Two watchers, one store at a server, one mailbox or two, kill -9 among them: nothing twice or missed."""

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bounce_watch.config.load import load_config
from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.pipeline import CycleResult, attend, open_house
from bounce_watch.send import FolderSender
from bounce_watch.store import Server, Store
from tests.daemon.running import FOLDER, MAILDIR, Running, wait_for
from tests.pipeline.conftest import ndr
from tests.servers.stores import Stores

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
    watchers: dict[str, Running] = field(default_factory=dict)

    def watch(self, name: str, mailbox: str) -> Running:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        running = Running(folder, source=MAILDIR.replace("mailbox", str(self.folder / mailbox)))
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

    def fill(self, mailbox: str, messages: range) -> None:
        for name in ("cur", "new", "tmp"):
            (self.folder / mailbox / name).mkdir(parents=True, exist_ok=True)
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        for number in messages:
            content = ndr(f"p{number}@larkfield.example", f"x@d{number % 50}.example", number=number, at=at)
            (self.folder / mailbox / "new" / f"{number}.a").write_bytes(content)

    def filed(self) -> list[str]:
        return [path.name for path in self.folder.glob("box*/.Filed/*/*")]

    def waiting(self) -> list[Path]:
        return [path for name in ("new", "cur") for path in self.folder.glob(f"box*/{name}/*")]

    def at_work(self) -> list[str]:
        """Return the names of the watchers that have messages in hand."""
        found = self.stores.postgres.sql(_IN_HAND, self.server.url.database or "")
        pids = {int(name.rpartition(":")[2]) for (name,) in found}
        return [name for name, running in self.watchers.items() if running.pid in pids]

    def settle(self) -> None:
        """Do as the leader does when the grace of what the dead were sending is over."""
        config = load_config(next(iter(self.watchers.values())).config)
        with Store.open(self.server) as store, FolderSender(self.folder / "sent") as sender:
            store.recover(datetime.now(UTC))
            later = datetime.now(UTC) + timedelta(minutes=11)
            with closing(open_house(config, store, lambda: later)) as house:
                attend(house, sender, sender, CycleResult())

    def close(self) -> None:
        for running in self.watchers.values():
            running.close()


@pytest.fixture
def site(tmp_path: Path, stores: Stores) -> Iterator[Site]:
    with closing(Site(tmp_path, stores.empty(), stores)) as site:
        yield site


def lives_through(site: Site, boxes: tuple[str, str], messages: int, kills: int, *, both: bool) -> None:
    """Let two watchers work, kill who is at it again and again, and look at everything that came of it."""
    for number, box in enumerate(sorted(set(boxes))):
        share = messages // len(set(boxes))
        site.fill(box, range(number * share, (number + 1) * share))
    names = dict(zip(("first", "second"), boxes, strict=True))
    for name, box in names.items():
        site.watch(name, box)
    if both:
        wait_for(lambda: len(site.at_work()) == 2)
    for kill in range(kills):
        goal = messages * (kill + 1) // (kills + 2)
        wait_for(lambda goal=goal: len(site.filed()) >= goal and site.at_work())
        for victim in site.at_work()[:1]:
            os.kill(site.watchers[victim].pid, signal.SIGKILL)
            site.watchers[victim].end()
            site.watch(victim, names[victim])
    wait_for(lambda: not site.waiting())
    for running in site.watchers.values():
        running.stop()
    site.settle()
    nothing_twice_nothing_missed(site, messages)


def nothing_twice_nothing_missed(site: Site, messages: int) -> None:
    assert len(site.filed()) == len(set(site.filed())) == messages
    with Store.open(site.server, read_only=True) as store:
        assert store.stats().messages == {"failure": messages}
        assert store.count() == messages
        assert store.stats().duplicates == 0
        assert store.disagreeing_counters() == (0, "")
        mails = store.outbox(limit=10 * messages)
    assert {mail.state for mail in mails} == {OutboxState.SENT}
    written = Counter(mail.recipient for mail in mails if mail.kind is LetterKind.REPLY)
    assert written == Counter(f"p{number}@larkfield.example" for number in range(messages))
    sent = [path.read_bytes() for path in (site.folder / "sent").glob("*.eml")]
    marks = Counter(found[1] for mail in sent if (found := re.search(rb"X-Bounce-Watch-ID: (\S+)", mail)))
    assert set(marks.values()) == {1}
    assert {mark.decode() for mark in marks} == {mail.bw_id for mail in mails}


def test_two_watchers_share_one_mailbox_though_one_is_killed(site: Site) -> None:
    lives_through(site, ("box", "box"), messages=120, kills=1, both=False)


@pytest.mark.proof
@pytest.mark.parametrize("boxes", [("box", "box"), ("box-a", "box-b")], ids=["one mailbox", "two mailboxes"])
def test_two_watchers_share_a_store_through_many_kills(site: Site, boxes: tuple[str, str]) -> None:
    lives_through(site, boxes, messages=1_200, kills=6, both=True)
