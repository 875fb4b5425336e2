"""What people are told is true: played through the command line on a Maildir, with the clock set."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import time_machine

from tests.pipeline.conftest import CONFIG, START, ndr
from tests.program import run_program
from tests.servers.refusing import RefusingServer

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SPF = "550 5.7.23 The message was rejected because of Sender Policy Framework violation -> 550 SPF failed"
GONE = "550 5.4.310 DNS domain gone.example does not exist"
BLOCKED = "550 5.1.8 Access denied, bad outbound sender AS(42004)"


@dataclass
class Site:
    """A Maildir, a folder of sent mail and a clock. `words` are the subjects of the mail that left."""

    folder: Path
    now: datetime = START
    read: set[Path] = field(default_factory=set)
    count: int = 0

    def configure(self, *changes: tuple[str, str]) -> None:
        text = CONFIG.replace("[reply]", "[run]\nisolate = false\n[reply]")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (self.folder / "config.toml").write_text(text)

    def send_by(self, server: RefusingServer) -> None:
        """Send over SMTP, from a site that looked before: its replies leave at once."""
        self.look()
        smtp = f'type = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nauth = "none"'
        self.configure(('type = "folder"\npath = "sent"', smtp))

    def deliver(self, content: bytes) -> None:
        self.count += 1
        path = self.folder / "mailbox" / "new" / f"{self.count}.mail"
        path.write_bytes(content)

    def bounce(self, **facts: Any) -> None:
        """Deliver a report about a mail of its own."""
        self.deliver(ndr(number=self.count + 1, at=self.now, **facts))

    def spf(self, people: int = 4) -> None:
        for one in range(people):
            self.bounce(
                sender=f"p{one}@larkfield.example",
                recipient=f"desk@partner{one}.example",
                reply=SPF,
                status="5.7.23",
                remote=f"mx.partner{one}.example",
            )

    def ask(self, *arguments: str) -> CompletedProcess[str]:
        config = str(self.folder / "config.toml")
        with time_machine.travel(self.now, tick=False):
            return run_program("-c", config, *arguments, environ={"TZ": "UTC", "COLUMNS": "120"})

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        done = self.ask(*arguments, "--json")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def look(self, *, after: timedelta = timedelta()) -> list[EmailMessage]:
        """Run one look; return the mails that left with it, in order."""
        self.now += after
        done = self.ask("run", "--once")
        assert done.returncode == 0, done.stderr
        new = sorted(set((self.folder / "sent").glob("*.eml")) - self.read)
        self.read |= set(new)
        return [_parsed(path) for path in new]


def _parsed(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.SMTP)  # our own mail
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def subjects(messages: list[EmailMessage]) -> list[str]:
    return [str(message["Subject"]) for message in messages]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mailbox" / name).mkdir(parents=True)
    one = Site(folder=tmp_path)
    one.configure()
    return one


@contextmanager
def away(folder: Path) -> Iterator[None]:
    """The mailbox cannot be read meanwhile."""
    hidden = folder.with_name("hidden")
    folder.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(folder)


@pytest.mark.slow
def test_nobody_is_told_that_all_is_over_because_nothing_came(site: Site) -> None:
    site.spf()
    site.bounce(sender="mara@larkfield.example", reply=BLOCKED, status="5.1.8", remote=None)
    for one in range(4):
        site.bounce(
            sender=f"q{one}@larkfield.example",
            recipient="x@gone.example",
            reply=GONE,
            status="5.4.310",
            remote=None,
        )
    told = subjects(site.look())
    for _ in range(6):
        told += subjects(site.look(after=DAY))
    assert not [one for one in told if "Over" in one or "Resolved" in one or "resend" in one]
    states = {row["severity"]: row["standing"] for row in site.rows("incidents", "list")}
    assert states == {"critical": "quiet", "high": "quiet", "medium": "archived"}
    [high] = [
        row["incident"] for row in site.rows("incidents", "list", "--open") if row["severity"] == "high"
    ]
    assert site.ask("incidents", "allclear", high, "--tell").returncode == 2
    site.ask("incidents", "resolve", high, "--by", "mara", "--why", "record corrected")
    assert site.ask("incidents", "allclear", high, "--tell").returncode == 0
    over = site.look(after=MINUTE)
    assert sorted({str(one["Subject"]).partition(" ")[0] for one in over}) == ["You", "[Resolved]"]


@pytest.mark.slow
def test_the_first_digest_waits_until_the_mailbox_was_read(site: Site) -> None:
    site.configure(('at = "23:30:00"', 'at = "07:00:00"'))
    site.spf()
    with away(site.folder / "mailbox"):
        site.ask("run", "--once")
    preview = site.ask("digest").stdout
    assert "quiet" not in preview
    assert "wasn't read completely yet" in " ".join(preview.split())
    [digest] = [one for one in site.look() if "Bounce digest" in str(one["Subject"])]
    assert "1 new incident, 4 messages bounced" in str(digest["Subject"])


@pytest.mark.slow
def test_after_the_digest_was_made_the_command_tells_what_came_since(site: Site) -> None:
    site.configure(('at = "23:30:00"', 'at = "07:00:00"'))
    assert "no bounces" in subjects(site.look())[0]
    site.spf()
    site.look(after=HOUR)
    assert "1 new incident" in site.ask("digest").stdout.splitlines()[0]


@pytest.mark.slow
def test_a_digest_after_an_outage_waits_and_then_says_what_it_does_not_know(site: Site) -> None:
    site.configure(('at = "23:30:00"', 'at = "07:00:00"'))
    site.now = START - 3 * HOUR
    site.look()
    site.now = START - 90 * MINUTE
    with away(site.folder / "mailbox"):
        assert site.ask("run", "--once").returncode != 0
        assert not list((site.folder / "sent").glob("*.eml"))
        site.now += 30 * MINUTE
        assert "since" in " ".join(site.ask("digest").stdout.split()).partition("Not known: what arrived")[2]
        site.now += 2 * HOUR
        site.ask("run", "--once")
        made = [_parsed(path) for path in (site.folder / "sent").glob("*.eml")]
    [digest] = [one for one in made if "Bounce digest" in str(one["Subject"])]
    assert "the bounce mailbox wasn't read" in str(digest["Subject"])
    assert "Not known: what arrived in the mailbox" in text_of(digest)


@pytest.fixture
def server() -> Iterator[RefusingServer]:
    with RefusingServer() as one:
        yield one


@pytest.mark.slow
def test_a_reply_never_goes_before_a_waiting_security_alert(site: Site, server: RefusingServer) -> None:
    """The server is away when the alert is due and back while it waits for its next attempt."""
    site.send_by(server)
    site.now += MINUTE
    server.handler.refusals[""] = "450 4.2.1 try later"
    site.bounce(sender="mara@larkfield.example", reply=BLOCKED, status="5.1.8", remote=None)
    site.ask("run", "--once")
    for one in range(3):
        site.bounce(sender=f"p{one}@larkfield.example", recipient=f"x@partner{one}.example")
    site.now += MINUTE / 2
    site.ask("run", "--once")
    assert server.handler.seen == []
    server.handler.refusals.clear()
    site.now += MINUTE / 2
    site.ask("run", "--once")
    told = [recipients for _, recipients, _ in server.handler.seen]
    assert told[0] == ["security@larkfield.example"]
    assert len(told) == 5


@pytest.mark.slow
def test_mail_that_cannot_leave_is_a_warning_after_a_minute_and_critical_if_it_is_an_alert(
    site: Site, server: RefusingServer
) -> None:
    site.send_by(server)
    site.now += MINUTE
    server.handler.refusals[""] = "450 4.3.2 not now"
    site.bounce()
    site.ask("run", "--once")
    site.now += 2 * MINUTE
    [pending] = [part for part in site.rows("status")[0]["parts"] if part["name"] == "pending"]
    assert pending["status"] == "warning"
    site.bounce(sender="mara@larkfield.example", reply=BLOCKED, status="5.1.8", remote=None)
    assert "not now" in site.ask("run", "--once").stderr
    site.now += 2 * MINUTE
    [pending] = [part for part in site.rows("status")[0]["parts"] if part["name"] == "pending"]
    assert pending["status"] == "critical"
    assert "alert" in pending["text"]


@pytest.mark.slow
def test_what_the_breaker_stopped_waits_and_leaves_after_it_is_cleared(site: Site) -> None:
    site.configure(("settle_seconds = 0", "settle_seconds = 0\nper_minute = 3"))
    site.look()
    site.now += MINUTE
    for one in range(8):
        site.bounce(sender=f"p{one}@larkfield.example", recipient=f"x@partner{one}.example")
    assert len(site.look()) == 3
    assert ["digest" in str(mail["Subject"]) for mail in site.look(after=DAY)] == [True]
    assert "5 that waited" in site.ask("breaker", "clear").stderr
    left = [len(site.look(after=MINUTE)) for _ in range(3)]
    assert sum(left) == 5
    assert max(left) <= 4


@pytest.mark.slow
def test_different_mails_of_one_person_are_different_in_the_letter_and_the_server_is_quoted(
    site: Site,
) -> None:
    site.configure(("settle_seconds = 0", "settle_seconds = 60"))
    site.look()
    site.now += MINUTE
    person = "lena@larkfield.example"
    site.bounce(sender=person, recipient="desk@partner.example", reply=SPF, status="5.7.23")
    reply = (
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; petra.meier@nordwerk.example: see https://evil.example/x"
    )
    site.bounce(sender=person, recipient="petra.meier@nordwerk.example", reply=reply)
    [letter] = [one for one in site.look() if one["To"] == person]
    text = text_of(letter)
    assert text.count("didn't reach") == 2
    assert "Other recipients" not in text
    assert text.index("desk@partner.example") < text.index("petra.meier@nordwerk.example")
    site.bounce(sender="omar@larkfield.example", recipient="petra.meier@nordwerk.example", reply=reply)
    [alone] = [one for one in site.look(after=HOUR) if one["To"] == "omar@larkfield.example"]
    assert "RESOLVER.ADR.RecipientNotFound; petra.meier@nordwerk.example: see" in text_of(alone)
    assert "https://" not in text_of(alone)
    assert "evil.example" not in text_of(alone)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "status"),
    [
        pytest.param("451 4.7.1 Greylisting in action, please come back later", "4.7.1", id="greylisted"),
        pytest.param("550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found", "5.1.10", id="unknown"),
        pytest.param(SPF, "5.7.23", id="spf"),
        pytest.param("552 5.2.2 mailbox full", "5.2.2", id="full"),
    ],
)
def test_the_phone_the_screen_and_the_letter_say_the_same(site: Site, reply: str, status: str) -> None:
    site.look()
    site.now += MINUTE
    site.bounce(sender="lena@larkfield.example", reply=reply, status=status)
    [letter] = [one for one in site.look() if one["To"] == "lena@larkfield.example"]
    [shown] = site.rows("show", "1")
    steps, text = shown["advice"]["steps"], text_of(letter)
    assert steps
    assert [step for step in steps if " ".join(step.split()) not in text] == []
    assert " ".join(shown["advice"]["again"].split()) in text
    [person] = site.rows("person", "lena@larkfield.example")
    [explained] = site.rows("explain", "1")
    assert person["advice"] == shown["advice"] == explained["advice"]
    assert explained["meanings"]["chosen"]["sender_steps"] == steps
    for command in (("show", "1"), ("person", "lena@larkfield.example"), ("explain", "1")):
        printed = " ".join(site.ask(*command).stdout.split())
        assert [step for step in steps if " ".join(step.split()) not in printed] == [], command
    by_code = site.rows("explain", reply)[0]
    assert by_code["cause"] == shown["bounce"]["cause"]
    assert by_code["sender_steps"] == steps


@pytest.mark.slow
def test_a_digest_tells_an_incident_and_its_cause_once(site: Site) -> None:
    site.configure(('at = "23:30:00"', 'at = "12:00:00"'))
    site.bounce(sender="mara@larkfield.example", reply=BLOCKED, status="5.1.8", remote=None)
    full = {"reply": "552 5.2.2 mailbox full", "status": "5.2.2"}
    site.bounce(sender="omar@larkfield.example", recipient="ann@partner.example", **full)
    site.look()
    text = site.ask("digest").stdout
    assert "blocked from sending" in text
    assert "Our account is blocked" not in text
    assert "Mailbox is full" in text
    assert "####" not in text
