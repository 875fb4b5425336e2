"""A process killed at any point loses nothing, sends no reply twice and leaves the store intact.

The death is a real SIGKILL: at every point that `testing.crash_points` names, and at random moments
(BOUNCE_WATCH_KILLS of them, 40 unless told otherwise).
"""

import os
import random
import re
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import bounce_watch
from bounce_watch.testing import crash_points
from tests.safety.lab import KILLED, Lab, assert_whole, report
from tests.servers.kept import Keep
from tests.servers.submission import Submission, SubmissionServer

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("BOUNCE_WATCH_KILLS", "40"))
NEWSLETTER = b"From: news@shop.example\r\nSubject: Sale\r\n\r\nBuy now.\r\n"
GARBAGE = bytes(range(256)) * 8
PACKAGE = Path(bounce_watch.__file__).parent
SHARES = 8
"""Tests among which the points of a cycle are divided."""


class Receiver(Submission):
    """A server that keeps what it took where a probe can look, before it confirms."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        folder.mkdir()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        reply = await super().handle_DATA(server, session, envelope)
        (self.folder / f"{len(self.accepted):04d}-mail.eml").write_bytes(self.accepted[-1][2])
        return reply


@pytest.fixture
def smtp_lab(tmp_path: Path, keep: Keep) -> Iterator[tuple[Lab, Receiver]]:
    """A lab whose mail leaves over SMTP."""
    folder = tmp_path / "lab"
    folder.mkdir()
    receiver = Receiver(folder / "taken")
    with SubmissionServer(receiver) as server:
        send = f'type = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nauth = "none"'
        yield Lab(folder, send=send, store=keep(folder)), receiver


def fill(lab: Lab) -> None:
    for content in (report(1), NEWSLETTER, report(2), GARBAGE):
        lab.deliver(content)


def test_every_point_in_the_code_has_a_name_and_every_name_a_point() -> None:
    """The list that the tests use is complete."""
    used = re.findall(
        r'crash_points\.point\("([a-z_.]+)"\)', "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    )
    assert set(used) == set(crash_points.points())


def test_nothing_dies_unless_it_was_asked_to(tmp_path: Path, keep: Keep) -> None:
    lab = Lab(tmp_path / "lab", store=keep(tmp_path / "lab"))
    fill(lab)
    assert lab.run() == 0
    lab.finish()
    assert_whole(lab, reports=2, others=1, garbage=1, mails=lab.sent())


# Every point in `make proof`, every other one in each run.
SHARE = [pytest.param(share, marks=[pytest.mark.proof] if share % 2 else []) for share in range(SHARES)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("share", SHARE)
def test_death_at_each_point_in_turn_with_a_maildir_and_a_folder(
    tmp_path: Path, keep: Keep, share: int
) -> None:
    """The n-th point of a whole cycle, for each n until nothing dies any more; one share of them."""
    first = Lab(tmp_path / "first", store=keep(tmp_path / "first"))
    assert first.run() == 0
    first.minutes += 24 * 60  # the digest of the next day is due in the cycle that dies
    (tmp_path / "first" / "sent").mkdir(exist_ok=True)
    for mail in (tmp_path / "first" / "sent").glob("*.eml"):
        mail.unlink()
    deaths = 0
    for number in count(share + 1, SHARES):
        lab = first.copy(tmp_path / f"lab-{number}")
        fill(lab)
        if lab.run(f"*:{number}") == 0:
            break
        deaths += 1
        lab.finish()
        assert_whole(lab, reports=2, others=1, garbage=1, mails=lab.sent())
    print(f"{deaths} points")
    assert deaths >= 40 / SHARES


SMTP_POINTS = [name for name in crash_points.points() if name.startswith(("smtp.", "deliver."))]


@pytest.mark.parametrize("name", SMTP_POINTS)
def test_death_at_each_step_of_smtp(smtp_lab: tuple[Lab, Receiver], name: str) -> None:
    """What the server took before the death is found and not sent again; what it did not take is sent."""
    lab, receiver = smtp_lab
    fill(lab)
    assert lab.run(f"{name}:2" if name not in ("smtp.connect", "smtp.sign_in") else name) == KILLED
    time.sleep(0.2)  # a server may take a mail whose sender is dead already
    lab.finish()
    mails = [content for _, _, content in receiver.accepted]
    assert_whole(lab, reports=2, others=1, garbage=1, mails=mails)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [20261123, 20261124])
def test_random_deaths_with_an_smtp_server(smtp_lab: tuple[Lab, Receiver], seed: int) -> None:
    """Mail arrives while processes are killed at random; the final state is as if none had been killed."""
    lab, receiver = smtp_lab
    chance, kills = random.Random(seed), -(-KILLS // 2)
    number, others, garbage = 1, 0, 0
    lab.deliver(report(number))
    begun = time.perf_counter()
    assert lab.run() == 0
    usual = min(time.perf_counter() - begun, 0.9)
    for _ in range(kills):
        for _ in range(chance.randint(0, 3)):
            number += 1
            lab.deliver(report(number))
        if chance.random() < 0.1:
            others += 1
            lab.deliver(NEWSLETTER + b"%d" % others)
        if chance.random() < 0.1:
            garbage += 1
            lab.deliver(GARBAGE + b"%d" % garbage)
        lab.kill_after(chance.uniform(0.1 * usual, usual))
        time.sleep(0.03)
    lab.finish()
    print(f"{lab.ended[KILLED]} kills, {number} reports, {others} others, {garbage} unreadable")
    assert lab.ended[KILLED] == kills
    assert_whole(
        lab,
        reports=number,
        others=others,
        garbage=garbage,
        mails=[content for _, _, content in receiver.accepted],
    )
