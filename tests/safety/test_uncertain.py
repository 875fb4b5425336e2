"""Mails that may have left: looked for where sent mail lies, never blindly repeated."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.pipeline.outbox.deliver import deliver, resolve_unconfirmed
from bounce_watch.send import Delivery, FolderSender, Outcome
from bounce_watch.send.interface import SentLookup
from bounce_watch.source.imap.sent_items import SentItems
from tests.pipeline.conftest import Home, ndr
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.store.committed import committed

pytestmark = pytest.mark.slow

GRACE = timedelta(minutes=10)


@dataclass
class Folder:
    """A lookup of sent mail; None when it cannot be searched."""

    lies_there: frozenset[str] | None
    is_complete: bool = False
    name: str = "folder"

    def find(self, bw_ids: Collection[str]) -> frozenset[str] | None:
        return None if self.lies_there is None else self.lies_there & frozenset(bw_ids)


@dataclass
class Cut:
    """A server whose connection ends after the content, always."""

    tried: int = 0
    outcome: Outcome = Outcome.UNKNOWN
    name: str = "cut"

    def __enter__(self) -> "Cut":
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def send(self, recipient: str, content: bytes) -> Delivery:
        self.tried += 1
        return Delivery(outcome=self.outcome, reply="the connection ended")

    def diagnose(self) -> list[object]:
        return []


@pytest.fixture
def uncertain(home: Home) -> Home:
    """A context with one mail that was certainly sent (1) and one reply in state unknown (2)."""
    home.deliver(ndr("omar@larkfield.example", number=7), "7")
    home.look()
    home.clock.now += timedelta(minutes=1)
    home.deliver(ndr(), "1")
    with_cut(home)
    return home


def with_cut(home: Home, outcome: Outcome = Outcome.UNKNOWN) -> Cut:
    from bounce_watch.pipeline import run_cycle
    from bounce_watch.source.local.maildir import MaildirSource

    cut = Cut(outcome=outcome)
    with MaildirSource(home.folder / "mailbox", filed_folder="Filed") as source:
        run_cycle(home.context, source, cut)  # type: ignore[arg-type]
    return cut


def state(home: Home, number: int = 2) -> OutboxState:
    return home.context.store.outbox.show(number)[0].state


def bw_id(home: Home, number: int) -> str:
    return home.context.store.outbox.show(number)[0].bw_id


def resolve(home: Home, sent_lookup: SentLookup | None) -> int:
    return resolve_unconfirmed(
        home.context, sent_lookup, home.context.store.outbox.unknown_due(home.clock.now)
    )


def after_grace(home: Home, sent_lookup: SentLookup | None) -> int:
    home.clock.now += GRACE
    return resolve(home, sent_lookup)


def test_nothing_is_decided_before_the_grace_is_over(uncertain: Home) -> None:
    uncertain.clock.now += GRACE - timedelta(seconds=1)
    assert resolve(uncertain, Folder(frozenset(), is_complete=True)) == 0
    assert state(uncertain) is OutboxState.UNKNOWN


def test_what_lies_there_was_sent(uncertain: Home) -> None:
    assert after_grace(uncertain, Folder(frozenset({bw_id(uncertain, 2)}))) == 1
    assert state(uncertain) is OutboxState.SENT


@pytest.mark.parametrize(
    ("is_complete", "control", "expected"),
    [
        pytest.param(True, False, OutboxState.PENDING, id="everything taken is certain to be there"),
        pytest.param(False, True, OutboxState.PENDING, id="a mail sent for certain is there"),
        pytest.param(False, False, OutboxState.ABANDONED, id="even a mail sent for certain is missing"),
    ],
)
def test_a_missing_reply_is_sent_again_only_where_missing_proves_something(
    uncertain: Home, is_complete: bool, control: bool, expected: OutboxState
) -> None:
    there = frozenset({bw_id(uncertain, 1)}) if control else frozenset()
    after_grace(uncertain, Folder(there, is_complete=is_complete))
    assert state(uncertain) is expected


def test_a_second_attempt_sends_the_same_bytes_and_is_the_last(uncertain: Home) -> None:
    store, nowhere = uncertain.context.store, Folder(frozenset(), is_complete=True)
    before = store.outbox.show(2)[1]
    after_grace(uncertain, nowhere)
    assert store.outbox.show(2)[1] == before
    cut = Cut()
    deliver(uncertain.context, cut, nowhere)  # type: ignore[arg-type]
    assert cut.tried == 1
    after_grace(uncertain, nowhere)
    assert state(uncertain) is OutboxState.ABANDONED
    deliver(uncertain.context, cut, nowhere)  # type: ignore[arg-type]
    assert cut.tried == 1


def test_a_reply_that_is_given_up_is_named_in_the_digest(uncertain: Home) -> None:
    after_grace(uncertain, None)
    assert state(uncertain) is OutboxState.ABANDONED
    uncertain.clock.now += timedelta(hours=14, minutes=25)
    uncertain.look()
    (digest,) = [mail for mail in uncertain.context.store.outbox.list() if mail.kind is LetterKind.DIGEST]
    assert "may have been sent; not repeated" in " ".join(digest.preview.split())


def test_while_nobody_can_look_it_stays_uncertain(uncertain: Home) -> None:
    for _ in range(5):
        assert after_grace(uncertain, Folder(None)) == 0
    assert state(uncertain) is OutboxState.UNKNOWN
    after_grace(uncertain, Folder(frozenset({bw_id(uncertain, 2)})))
    assert state(uncertain) is OutboxState.SENT


def test_an_alert_is_sent_again_without_a_look_three_times_at_most(home: Home) -> None:
    home.deliver(ndr(reply="550 5.1.8 bad outbound sender AS(42004)", status="5.1.8", remote=None), "1")
    with_cut(home)
    alert = next(mail for mail in home.context.store.outbox.list() if mail.kind is LetterKind.ALERT)
    cut = Cut()
    for _ in range(6):
        home.clock.now += GRACE
        deliver(home.context, cut, None)  # type: ignore[arg-type]
    assert home.context.store.state.times_resent(alert.id) == 3
    assert state(home, alert.id) is OutboxState.ABANDONED


def test_a_refused_sign_in_keeps_the_mails_and_rests(home: Home) -> None:
    """One attempt, then a quarter of an hour of silence: more of them lock the account."""
    for number in range(5):
        home.deliver(ndr(f"user{number}@larkfield.example", number=number), str(number))
    cut = with_cut(home, Outcome.STOP)
    assert cut.tried == 1
    for minutes in (1, 5, 8):
        home.clock.now += timedelta(minutes=minutes)
        assert deliver(home.context, cut, None).stopped  # type: ignore[arg-type]
    assert cut.tried == 1
    home.clock.now += timedelta(minutes=2)
    with FolderSender(home.folder / "sent") as sender:
        assert deliver(home.context, sender).sent == 5
    assert home.context.store.state.sending_stopped() is None


def test_a_new_start_tries_at_once(home: Home) -> None:
    home.deliver(ndr(), "1")
    with_cut(home, Outcome.STOP)
    home.clock.now += timedelta(minutes=1)
    committed(home.context.store).state.start_run(home.clock.now)
    with FolderSender(home.folder / "sent") as sender:
        assert deliver(home.context, sender).sent == 1


def test_a_server_that_is_away_is_tried_three_times_a_round(home: Home) -> None:
    for number in range(8):
        home.deliver(ndr(f"user{number}@larkfield.example", number=number), str(number))
    assert with_cut(home, Outcome.LATER).tried == 3


@pytest.mark.servers
@pytest.mark.parametrize("can_look", [True, False], ids=["signed in", "wrong password"])
def test_sent_items_are_searched_by_our_own_id(dovecot: Dovecot, can_look: bool) -> None:
    """On a real IMAP server; text that is not our id never reaches it."""
    ours, other = f"bw.{'a' * 16}.{'b' * 24}", f"bw.{'c' * 16}.{'d' * 24}"
    with dovecot.sign_in() as client:
        client.create('"Sent Items"')
    dovecot.append([f"X-Bounce-Watch-ID: {ours}\r\nSubject: a\r\n\r\nx\r\n".encode()], folder="Sent Items")
    settings = ImapSettings(
        host="localhost",
        port=dovecot.imaps_port,
        user=WATCHED,
        ca_file=dovecot.certificates.ca_file,
    )
    sent_lookup = SentItems(settings, lambda: PASSWORD if can_look else "wrong", "Sent Items")
    evil = 'x"\r\nX1 STORE 1:* +FLAGS (\\Deleted)'
    assert sent_lookup.find({ours, other, evil}) == (frozenset({ours}) if can_look else None)
    assert SentItems(settings, lambda: PASSWORD, "No Such Folder").find({ours}) is None
    assert len(dovecot.contents(folder="Sent Items")) == 1
