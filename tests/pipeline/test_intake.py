"""What one message brings: rows, letters and a move, each once."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog

from bounce_watch.model import IncidentState, Kind, OutboxState
from bounce_watch.pipeline.ingest import fetch
from bounce_watch.store import MessageState, StoreFull
from bounce_watch.store.messages.messages import Messages
from tests.pipeline.conftest import START, Home, ndr
from tests.store.committed import set_state


def test_a_bounce_is_stored_answered_and_filed(home: Home) -> None:
    home.deliver(ndr(), "1.a")
    result = home.look()
    assert (result.messages, result.bounces, result.letters, result.delivered.sent) == (1, 1, 1, 1)
    (row,) = home.context.store.history.find()
    assert (row.bounce.sender, row.bounce.status) == ("lena@larkfield.example", "5.1.10")
    assert home.waiting() == []
    assert len(home.filed()) == 1
    (letter,) = home.sent()
    assert b"To: lena@larkfield.example" in letter


@pytest.mark.parametrize("name", ["recipient_unknown.j2", "letter.txt.j2", "letter.html.j2"])
def test_a_fault_in_a_sites_template_loses_no_report_and_no_letter(
    open_home: Callable[..., Home], name: str
) -> None:
    home = open_home(("[digest]", '[overrides]\ntemplates = "own"\n[digest]'))
    own = home.folder / "own" / "replies" / name
    own.parent.mkdir(parents=True)
    own.write_text("{% block headline %}{{ 1 // 0 }}{% endblock %}")
    home.deliver(ndr(), "1.a")
    with structlog.testing.capture_logs() as logs:
        result = home.look()
    assert (result.bounces, result.quarantined, result.delivered.sent) == (1, 0, 1)
    assert b"the address doesn't exist" in home.sent()[0]
    assert name in next(line["fault"] for line in logs if line["event"] == "template_failed")


def test_a_second_look_does_nothing(home: Home) -> None:
    home.deliver(ndr(), "1.a")
    home.look()
    again = home.look()
    assert (again.messages, again.letters, again.delivered.sent) == (0, 0, 0)
    assert len(home.sent()) == 1


def test_the_same_report_delivered_twice_is_counted_and_answered_once(home: Home) -> None:
    home.deliver(ndr(), "1.a")
    home.deliver(ndr(), "2.b")
    result = home.look()
    assert (result.messages, result.bounces, result.duplicates, result.letters) == (2, 1, 1, 1)
    assert len(home.filed()) == 2


def test_a_journal_copy_of_a_report_is_a_duplicate(home: Home) -> None:
    journal = (
        b"From: MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@larkfield.example\r\n"
        b"X-MS-Journal-Report:\r\nX-MS-Exchange-Organization-AuthAs: Internal\r\n"
        b"Content-Type: multipart/mixed; boundary=j\r\n\r\n--j\r\nContent-Type: text/plain\r\n\r\n"
        b"Sender: <>\r\nRecipient: lena@larkfield.example\r\n--j\r\nContent-Type: message/rfc822\r\n\r\n"
        + ndr()
        + b"\r\n--j--\r\n"
    )
    home.deliver(ndr(), "1.a")
    home.look()
    home.deliver(journal, "2.b")
    result = home.look()
    assert (result.duplicates, result.letters) == (1, 0)


def test_a_report_from_outside_is_stored_but_neither_answered_nor_counted_against_us(home: Home) -> None:
    forged = ndr(
        reply="550 5.1.8 Access denied, bad outbound sender AS(42004)",
        status="5.1.8",
        remote=None,
        authority="Anonymous",
    )
    home.deliver(forged, "1.a")
    result = home.look()
    assert (result.bounces, result.letters, result.withheld, result.opened) == (1, 0, 1, [])
    assert home.sent() == []


def test_a_blocked_account_opens_an_incident_that_security_hears_of_at_once(home: Home) -> None:
    reply = "550 5.1.8 Access denied, bad outbound sender AS(42004)"
    home.deliver(ndr(reply=reply, status="5.1.8", remote=None), "1.a")
    result = home.look()
    assert result.opened == [1]
    alerts = [mail for mail in home.sent() if b"To: security@larkfield.example" in mail]
    assert len(alerts) == 1
    assert not [mail for mail in home.sent() if b"To: mailadmin@larkfield.example" in mail]
    home.deliver(ndr(number=2, reply=reply, status="5.1.8", remote=None), "2.a")
    assert home.look().opened == []
    assert len([mail for mail in home.sent() if b"To: security@larkfield.example" in mail]) == 1


def test_a_critical_incident_becomes_quiet_and_silence_never_resolves_it(home: Home) -> None:
    home.deliver(ndr(reply="550 5.1.8 bad outbound sender AS(42004)", status="5.1.8", remote=None), "1.a")
    home.look()
    home.clock.now += timedelta(days=1)
    assert home.look().resolved == ()
    home.clock.now += timedelta(days=10)
    assert home.look().resolved == ()
    (incident,) = home.context.store.incidents.list()
    assert incident.state is IncidentState.QUIET


def test_old_mail_is_stored_but_nobody_is_told(home: Home) -> None:
    home.clock.now = START + timedelta(days=3)
    home.deliver(ndr(reply="550 5.1.8 bad outbound sender AS(42004)", status="5.1.8", remote=None), "1.a")
    path = home.waiting()[0]
    os.utime(path, (START.timestamp(), START.timestamp()))
    result = home.look()
    assert (result.bounces, result.letters, result.withheld, result.opened) == (1, 0, 1, [1])
    assert [mail for mail in home.sent() if b"Subject: Bounce digest" not in mail] == []


def test_a_crash_between_commit_and_move_is_mended_at_the_next_look(home: Home) -> None:
    """Put the message back as it lay before the move, and its state as the commit left it."""
    home.deliver(ndr(), "1.a")
    home.look()
    shutil.move(home.filed()[0], home.folder / "mailbox" / "new" / "1.a")
    (row,) = home.context.store.history.find()
    with home.context.store.transaction() as tx:
        set_state(tx, row.message_id, MessageState.STORED)
    again = home.look()
    assert (again.messages, again.letters) == (0, 0)
    assert home.waiting() == []
    assert len(home.filed()) == 1


def test_a_bug_with_one_message_stops_no_other_and_quarantines_it_at_the_third_time(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault is injected where a message is stored, together with others or alone; the rest is real."""
    genuine = Messages.add_message

    def stumble(messages: Messages, *, uid: str, **rest: Any) -> int:
        if uid.startswith("1."):
            raise KeyError("a bug")
        return genuine(messages, uid=uid, **rest)

    monkeypatch.setattr(Messages, "add_message", stumble)
    home.deliver(b"From: a@b.example\r\n\r\nstumbling stone", "1.a")
    home.deliver(ndr(), "2.b")
    first = home.look()
    assert (first.bounces, first.quarantined) == (1, 0)
    assert home.look().quarantined == 0
    assert home.look().quarantined == 1
    (entry,) = home.context.store.quarantine.list()
    assert home.context.store.quarantine.show(entry.id)[1] == b"From: a@b.example\r\n\r\nstumbling stone"
    assert home.waiting() == []


def test_a_full_disk_never_quarantines(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> object:
        raise StoreFull("The disk is full.")

    home.deliver(ndr(), "1.a")
    monkeypatch.setattr(fetch, "ingest_messages", full)
    for _ in range(4):
        with pytest.raises(StoreFull):
            home.look()
    monkeypatch.undo()
    assert home.context.store.quarantine.list() == ()
    assert home.look().bounces == 1


def test_what_is_no_report_stays_where_it_is(home: Home) -> None:
    home.deliver(b"From: news@shop.example\r\nSubject: Sale\r\n\r\nBuy now.\r\n", "1.a")
    result = home.look()
    assert (result.left, result.kinds) == (1, {Kind.NOT_A_REPORT: 1})
    assert len(home.waiting()) == 1
    assert home.look().messages == 0


def test_in_preview_replies_are_held_but_alerts_leave(open_home: Callable[..., Home]) -> None:
    home = open_home(('mode = "on"', 'mode = "preview"'))
    home.deliver(ndr(reply="550 5.1.8 bad outbound sender AS(42004)", status="5.1.8", remote=None), "1.a")
    result = home.look()
    assert (result.letters, result.delivered.sent) == (1, 1)
    assert [entry.state for entry in home.context.store.outbox.list([OutboxState.HELD])] == [OutboxState.HELD]


def test_our_own_notice_that_bounces_is_never_answered(home: Home) -> None:
    home.deliver(ndr(), "1.a")
    home.look()
    (letter,) = home.sent()
    mark = next(line for line in letter.split(b"\r\n") if line.startswith(b"X-Bounce-Watch-ID:"))
    returned = ndr(number=2).replace(b"Subject: Offer\r\n", b"Subject: Offer\r\n" + mark + b"\r\n")
    home.deliver(returned, "2.b")
    home.look()
    assert home.context.store.summary.stats().withheld == {"own_bounce": 1}
    assert len(home.sent()) == 1


@pytest.mark.slow
def test_what_comes_together_is_stored_together(home: Home) -> None:
    """Several groups, one of them with a copy of a report in it: counted, answered and filed one by one."""
    for number in range(100):
        content = ndr(f"person{number}@larkfield.example", f"x@firm{number}.example", number=number)
        home.deliver(content, f"{number}.a")
    home.deliver(ndr("person7@larkfield.example", "x@firm7.example", number=7), "700.a")
    result = home.look()
    assert (result.messages, result.bounces, result.duplicates) == (101, 100, 1)
    assert home.waiting() == []
    assert len(home.filed()) == 101
    assert len(list(home.context.store.history.find(limit=200))) == 100
