"""How long a colleague waits: from the report's delivery to the answer that a server has accepted.

And what the service costs while nothing comes.
"""

import os
import smtplib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.running import Running, wait_for
from tests.pipeline.conftest import ndr
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.servers.kept import Keep
from tests.servers.submission import Submission, SubmissionServer

pytestmark = pytest.mark.servers

PACE_SECONDS = 0.4


@dataclass(slots=True)
class Timed(Submission):
    """Notes when each answer was accepted, and where."""

    port: int = 0
    at: dict[str, float] = field(default_factory=dict)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.at[envelope.rcpt_tos[0]] = time.monotonic()
        return await Submission.handle_DATA(self, server, session, envelope)


@pytest.fixture
def answers() -> Iterator[Timed]:
    handler = Timed()
    with SubmissionServer(handler) as server:
        handler.port = server.port
        yield handler


@pytest.fixture
def service(tmp_path: Path, dovecot: Dovecot, answers: Timed, keep: Keep) -> Iterator[Running]:
    """The service on IMAP and SMTP, in its first IDLE."""
    password = "password_command = \"printf '%s' '" + PASSWORD + "'\""
    running = Running(
        tmp_path,
        store=keep(tmp_path).line,
        source=f'type = "imap"\nhost = "localhost"\nport = {dovecot.imaps_port}\nuser = "{WATCHED}"\n'
        f'ca_file = "{dovecot.certificates.ca_file}"\n{password}',
        send=f'type = "smtp"\nhost = "127.0.0.1"\nport = {answers.port}\nsecurity = "none"\nauth = "none"',
    )
    text = running.config.read_text()
    limits = "settle_seconds = 0\nper_minute = 1000\nper_hour = 1000"
    running.config.write_text(text.replace("settle_seconds = 0", limits))
    running.start()
    try:
        running.wait_until_started()
        yield running
    finally:
        running.close()


def deliver(dovecot: Dovecot, number: int) -> tuple[str, float]:
    """Deliver a report about a mail of a person of its own; return the person and the moment."""
    person = f"person{number}@larkfield.example"
    report = ndr(person, f"lost{number}@fabrikam{number}.example", number=number, at=datetime.now(UTC))
    with smtplib.LMTP("127.0.0.1", dovecot.lmtp_port) as lmtp:
        lmtp.sendmail("", [WATCHED], report)
    return person, time.monotonic()


def waits(dovecot: Dovecot, answers: Timed, count: int) -> list[float]:
    """Return the seconds that each person waited, shortest first."""
    delivered = {}
    for number in range(count):
        person, moment = deliver(dovecot, number)
        delivered[person] = moment
        time.sleep(PACE_SECONDS)
    wait_for(lambda: len(answers.at) >= count)
    return sorted(answers.at[person] - moment for person, moment in delivered.items())


def test_an_answer_leaves_long_before_the_next_poll(
    service: Running, dovecot: Dovecot, answers: Timed
) -> None:
    """IDLE tells: the poll is a minute away."""
    assert service.pid
    assert waits(dovecot, answers, 3)[-1] < 30


@pytest.mark.proof
def test_nineteen_of_twenty_answers_are_accepted_within_two_seconds(
    service: Running, dovecot: Dovecot, answers: Timed
) -> None:
    """200 reports, one after the other."""
    assert service.pid
    taken = waits(dovecot, answers, 200)
    print(f"\nhalf within {taken[100]:.2f} s, 95 % within {taken[189]:.2f} s, all within {taken[-1]:.2f} s")
    assert taken[189] < 2


@pytest.mark.proof
def test_while_nothing_comes_the_service_takes_less_than_a_hundredth_of_a_processor(
    service: Running, dovecot: Dovecot, answers: Timed
) -> None:
    """Half a minute in IDLE, after a first answer."""
    waits(dovecot, answers, 1)
    time.sleep(3)
    before, seconds = processor_seconds(service.pid), 30
    time.sleep(seconds)
    share = (processor_seconds(service.pid) - before) / seconds
    print(f"\n{share:.2%} of a processor")
    assert share < 0.01


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
