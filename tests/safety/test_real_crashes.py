"""Deaths between real servers: reports in Dovecot, Postfix as receiver, a sent folder to look into.

The death is a real SIGKILL. `make proof` lets the process die at every point of a cycle, each time with
servers' mailboxes of its own, and at BOUNCE_WATCH_KILLS random moments (300).
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.safety.lab import KILLED, report
from tests.safety.real_lab import RealLab, RealServers, assert_nothing_lost_or_doubled, start_servers
from tests.safety.test_crashes import GARBAGE, NEWSLETTER
from tests.servers.kept import Keep

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("real crashes"), pytest.mark.timeout(300)]

LABS = 200
KILLS = int(os.environ.get("BOUNCE_WATCH_KILLS", "300"))
REPORTS = 500
DAYS = 5
A_DAY = 24 * 60
MOST_SECONDS = 5.0
"""A process lives so long at most before it is killed, on however busy a machine."""
# A death by name, in the order in which one mailbox suffers them. `:n` is the n-th time in that process.
WITH_MOVE = (
    *("imap.connect", "imap.sign_in", "imap.open", "imap.fetch", "imap.fetched:2"),
    *("receive.stored", "receive.stored:3", "store.commit", "receive.committed"),
    *("imap.create", "imap.move", "imap.moved", "imap.move:2", "imap.moved:2", "receive.moved"),
)
# One COPY takes a whole group; a second comes where a group was stored and not copied: after "imap.copy".
WITHOUT_MOVE = ("imap.copy", "imap.copied:2", "imap.copied", "imap.mark_deleted", "imap.expunge")


@pytest.fixture(scope="module")
def real_servers(keep: Keep) -> Iterator[RealServers]:
    with start_servers(LABS, keep) as started:
        yield started


def fill(lab: RealLab) -> None:
    lab.deliver_all([report(1), NEWSLETTER, report(2), GARBAGE])


def test_one_mailbox_survives_a_death_at_each_step_of_imap(real_servers: RealServers, tmp_path: Path) -> None:
    """In the middle of a group, after its commit, between two moves, at each command."""
    lab = real_servers.lab(tmp_path / "lab", 0)
    for number, aim in enumerate(WITH_MOVE):
        lab.deliver_all([report(2 * number + 1), report(2 * number + 2)])
        if number == 0:
            lab.deliver_all([NEWSLETTER, GARBAGE])
        assert lab.run(aim) == KILLED, f"{aim} was not passed"
    lab.finish()
    print(f"{lab.ended[KILLED]} deaths, {2 * len(WITH_MOVE)} reports")
    assert_nothing_lost_or_doubled(lab, reports=2 * len(WITH_MOVE), others=1, garbage=1)


def test_a_look_into_the_sent_folder_that_dies_is_made_again(
    real_servers: RealServers, tmp_path: Path
) -> None:
    """Two mails that Postfix took before we died, and one that it did not."""
    lab = real_servers.lab(tmp_path / "lab", 1)
    lab.deliver_all([report(number) for number in range(1, 5)])
    for aim in ("smtp.handed_over:2", "smtp.replied", "smtp.half"):
        assert lab.run(aim) == KILLED
    lab.servers.postfix.wait_until_idle()
    lab.minutes += 11
    for aim in ("imap.search", "imap.searched", "imap.searched:2"):
        assert lab.run(aim) == KILLED
    lab.finish()
    assert_nothing_lost_or_doubled(lab, reports=4, others=0, garbage=0)


def test_without_move_a_death_leaves_at_most_a_second_copy_in_the_folder(tmp_path: Path, keep: Keep) -> None:
    """COPY cannot be repeated without a trace; nothing is answered twice for it."""
    with start_servers(1, keep, with_move=False) as real_servers:
        lab = real_servers.lab(tmp_path / "lab", 0)
        for number, aim in enumerate(WITHOUT_MOVE):
            lab.deliver_all([report(2 * number + 1), report(2 * number + 2)])
            assert lab.run(aim) == KILLED, f"{aim} was not passed"
        lab.finish()
        assert_nothing_lost_or_doubled(
            lab, reports=2 * len(WITHOUT_MOVE), others=0, garbage=0, copies=2 * len(WITHOUT_MOVE)
        )


def look(lab: RealLab) -> float:
    """Let one process live, as one does on any day; return its seconds, at most MOST_SECONDS."""
    begun = time.perf_counter()
    assert lab.run() == 0
    return min(time.perf_counter() - begun, MOST_SECONDS)


def suffer(lab: RealLab, chance: random.Random, kills: int, reports: int, days: int) -> None:
    """Let mail arrive, single and in bursts, and kill a process each time; then demand that all is whole."""
    waiting = list(range(1, reports + 1))
    begun, usual = time.perf_counter(), look(lab)
    for number in range(kills):
        if number and number % max(1, kills // days) == 0:
            usual = look(lab)  # what waits for more than two days is not answered
            lab.servers.postfix.wait_until_idle()
            lab.minutes += A_DAY
        fair = len(waiting) // (kills - number)
        count = (
            len(waiting) if number == kills - 1 else chance.choice((0, fair, fair, 2 * fair, 2 * fair + 1))
        )
        lab.deliver_all([report(number) for number in waiting[:count]])
        del waiting[:count]
        lab.kill_after(chance.uniform(0.05, 1.2 * usual))
    lab.finish()
    (digests,) = lab.ask("SELECT count(*) FROM digest")[0]
    print(
        f"{lab.ended[KILLED]} kills, {reports} reports, {digests} digests, {len(lab.sent())} mails,"
        f" {time.perf_counter() - begun:.0f} s"
    )
    assert lab.ended[KILLED] == kills
    assert_nothing_lost_or_doubled(lab, reports=reports, others=0, garbage=0, digests=digests)


def test_a_few_random_deaths_with_real_servers(real_servers: RealServers, tmp_path: Path) -> None:
    suffer(real_servers.lab(tmp_path / "lab", 2), random.Random(7), kills=4, reports=12, days=1)


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_three_hundred_random_deaths_with_five_hundred_reports(
    real_servers: RealServers, tmp_path: Path
) -> None:
    suffer(
        real_servers.lab(tmp_path / "lab", 3),
        random.Random(20261123),
        kills=KILLS,
        reports=REPORTS,
        days=DAYS,
    )


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_death_at_each_point_of_a_cycle_with_real_servers(real_servers: RealServers, tmp_path: Path) -> None:
    """The n-th point of a whole cycle, for n from one until nothing dies any more; a mailbox for each n."""
    deaths = 0
    while True:
        lab = real_servers.lab(tmp_path / f"lab-{deaths}", 10 + deaths)
        fill(lab)
        if lab.run(f"*:{deaths + 1}") == 0:
            break
        deaths += 1
        lab.finish()
        assert_nothing_lost_or_doubled(lab, reports=2, others=1, garbage=1)
    print(f"{deaths} points")
    assert deaths >= 60
