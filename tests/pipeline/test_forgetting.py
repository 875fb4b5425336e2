"""A person who asks for it is forgotten in every table, in the file and its log; all else goes on."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlmodel import SQLModel

from bounce_watch.model import IncidentState, LetterKind, OutboxState
from bounce_watch.pipeline.maintenance import Forgotten, forget
from bounce_watch.store import HistoryFilter, tables
from bounce_watch.store.privacy.columns import NUMBERED, SMALL, texts_of
from bounce_watch.store.privacy.identity import PersonIdentity
from bounce_watch.store.privacy.search import is_in_files
from tests.pipeline.conftest import Home, Refusal, every_text, ndr
from tests.store.committed import committed

pytestmark = pytest.mark.slow

PERSON = "lena.krause@larkfield.example"
COLLEAGUE = "otto@larkfield.example"
OUTSIDER = "m.brandt@fabrikam.example"
BLOCKED: Refusal = {
    "reply": "550 5.1.8 Access denied, bad outbound sender AS(42004)",
    "status": "5.1.8",
    "remote": None,
}


def take_out(home: Home, address: str) -> Forgotten:
    person, store = PersonIdentity(address), home.context.store
    return forget(store, person, store.privacy.search(person), by="admin", now=home.clock.now)


def is_anywhere(home: Home, address: str) -> bool:
    person = PersonIdentity(address)
    in_file = home.config.store.url is None and is_in_files(home.config.store.path, person)
    return in_file or any(map(person.is_in, every_text(home)))


@pytest.fixture
def played(open_home: Callable[..., Home]) -> Home:
    """A day that names the person everywhere: bounces both ways, an incident, mails, a digest, quarantine."""
    home = open_home(("settle_seconds = 0", "settle_seconds = 0\nper_person_per_day = 1"))
    home.deliver(ndr(PERSON, OUTSIDER, number=1), "1.a")
    home.deliver(ndr(PERSON, "second@fabrikam.example", number=2), "2.a")
    home.deliver(
        ndr(COLLEAGUE, PERSON, number=3, reply=f"550 5.1.1 User lena.krause unknown <{PERSON.upper()}>"),
        "3.a",
    )
    home.deliver(ndr(COLLEAGUE, OUTSIDER, number=4), "4.a")
    home.deliver(ndr(PERSON, OUTSIDER, number=5, **BLOCKED), "5.a")
    home.look()
    with home.context.store.transaction() as tx:
        raw = f"From: x\n\nbla {PERSON}".encode()
        now = home.clock.now
        tx.quarantine.add(
            mailbox="maildir:x",
            validity=1,
            uid="q",
            sha256="0",
            raw=raw,
            reason=f"bad: {PERSON}",
            received_at=now,
            now=now,
        )
        tx.incidents.note(1, f"phoned {PERSON}", now, by="admin")
        tx.state.note_stop(f"550 refused {PERSON}", now)
    home.clock.now = home.clock.now.replace(hour=23, minute=40)
    home.look()
    home.clock.now += timedelta(minutes=2)
    home.look()
    return home


def test_every_table_that_holds_text_is_searched() -> None:
    """Every table with text columns must be in one of the lists, new ones too."""
    names = {table.__tablename__ for table in (*NUMBERED, *SMALL)}
    names.add(tables.DailyCount.__tablename__)  # no label with an @ is kept
    for table in every_table(SQLModel):
        if texts_of(table):
            assert table.__tablename__ in names


def every_table(base: type[SQLModel]) -> Iterator[type[SQLModel]]:
    for model in base.__subclasses__():
        if hasattr(model, "__table__"):
            yield model
        yield from every_table(model)


def test_nothing_of_the_person_is_left_and_everything_else_is(played: Home) -> None:
    store = played.context.store
    assert is_anywhere(played, PERSON)
    before = store.summary.stats()
    done = take_out(played, PERSON)
    assert (done.pseudonym, done.left, done.log_emptied) == ("forgotten-1@forgotten.invalid", 0, True)
    assert not is_anywhere(played, PERSON)
    assert not any("lena.krause" in text.lower() for text in every_text(played))
    after = store.summary.stats()
    assert (before.messages, before.bounces, before.reports) == (after.messages, after.bounces, after.reports)
    assert after.quarantined == 0
    assert is_anywhere(played, OUTSIDER)
    assert store.history.count(HistoryFilter(sender=COLLEAGUE)) == 2
    assert store.history.count(HistoryFilter(sender=done.pseudonym)) == 3
    assert store.history.count(HistoryFilter(recipient=done.pseudonym)) == 1


def test_what_the_person_wrote_is_deleted_and_what_others_wrote_stays(played: Home) -> None:
    done = take_out(played, PERSON)
    for row in played.context.store.history.find():
        is_theirs = row.bounce.sender == done.pseudonym
        assert (row.subject is None, row.original_message_id is None) == (is_theirs, is_theirs)


def test_an_incident_about_the_person_ends_and_a_later_mail_is_a_new_one(played: Home) -> None:
    store = played.context.store
    assert any(PERSON in incident.finding.key for incident in store.incidents.list_open())
    done = take_out(played, PERSON)
    (over,) = [one for one in store.incidents.list() if one.finding.rule_id == "sender_blocked"]
    assert (over.state, over.finding.key, over.finding.senders) == (
        IncidentState.RESOLVED, done.pseudonym, (done.pseudonym,),
    )  # fmt: skip
    played.clock.now += timedelta(hours=1)
    played.deliver(ndr(PERSON, OUTSIDER, number=9, at=played.clock.now, **BLOCKED), "9.a")
    result = played.look()
    assert result.letters == 1, "whoever was forgotten was never told"
    (fresh,) = [one for one in store.incidents.list_open() if one.finding.rule_id == "sender_blocked"]
    assert (fresh.number == over.number, fresh.finding.key) == (False, PERSON)
    assert store.history.count(HistoryFilter(sender=PERSON)) == 1
    again = take_out(played, PERSON)
    assert again.pseudonym == "forgotten-2@forgotten.invalid"
    assert not is_anywhere(played, PERSON)


def test_a_copy_of_a_known_report_is_neither_counted_nor_answered_again(played: Home) -> None:
    take_out(played, PERSON)
    before = played.context.store.history.count()
    played.deliver(ndr(PERSON, OUTSIDER, number=1), "copy.a")
    result = played.look()
    assert (result.duplicates, result.letters, played.context.store.history.count()) == (1, 0, before)


def test_the_next_digest_is_made_and_names_nobody(played: Home) -> None:
    take_out(played, PERSON)
    sent = len(played.sent())
    for _ in range(2):
        played.clock.now += timedelta(days=1, minutes=1)
        played.look()
    assert len(played.sent()) > sent
    assert not any(PersonIdentity(PERSON).is_in_letter(mail) for mail in played.sent()[sent:])


def test_it_can_be_repeated_and_the_audit_names_no_one(played: Home) -> None:
    take_out(played, PERSON)
    deeds = played.context.store.maintenance.audit_log()
    assert [(deed.by, deed.deed, deed.figures["bounces"]) for deed in deeds][:1] == [("admin", "forget", 4)]
    assert take_out(played, PERSON).pseudonym is None
    assert played.context.store.maintenance.audit_log() == deeds


HELD = ('mode = "on"', 'mode = "preview"')


def test_answers_that_wait_are_given_up_and_never_sent_empty(open_home: Callable[..., Home]) -> None:
    home = open_home(HELD)
    home.deliver(ndr(PERSON, OUTSIDER, number=1), "1.a")
    home.deliver(ndr(COLLEAGUE, PERSON, number=2), "2.a")
    home.deliver(ndr(COLLEAGUE, OUTSIDER, number=3, reply="552 5.2.2 full", status="5.2.2"), "3.a")
    home.look()
    store = home.context.store
    assert [mail.state for mail in store.outbox.list()] == [OutboxState.HELD] * 3
    take_out(home, PERSON)
    states = {mail.recipient: mail.state for mail in store.outbox.list() if mail.id != 2}
    assert states == {"forgotten-1@forgotten.invalid": OutboxState.ABANDONED, COLLEAGUE: OutboxState.HELD}
    assert store.outbox.show(2)[0].state is OutboxState.ABANDONED
    assert committed(store).outbox.retry([1], home.clock.now) == 0, "its words are gone"
    assert committed(store).outbox.release(None, home.clock.now) == 1
    home.look()
    (sent,) = home.sent()
    assert not PersonIdentity(PERSON).is_in_letter(sent)


def test_an_alert_that_waits_still_goes_under_the_pseudonym(open_home: Callable[..., Home]) -> None:
    home = open_home()
    home.deliver(ndr(PERSON, OUTSIDER, number=5, **BLOCKED), "5.a")
    (home.folder / "sent").write_text("in the way")
    home.look()
    store = home.context.store
    (alert,) = [mail for mail in store.outbox.list([OutboxState.PENDING]) if mail.kind is LetterKind.ALERT]
    done = take_out(home, PERSON)
    entry, content = store.outbox.show(alert.id)
    assert entry.state is OutboxState.PENDING
    assert done.pseudonym is not None
    assert done.pseudonym in entry.preview
    assert not PersonIdentity(PERSON).is_in_letter(content)
    assert PersonIdentity(done.pseudonym).is_in_letter(content)


def test_a_mail_that_is_just_being_sent_is_left_alone(
    open_home: Callable[..., Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says when it is done must not be lost; the next call finds the rest."""
    home = open_home(HELD)
    home.deliver(ndr(PERSON, OUTSIDER, number=1), "1.a")
    home.look()
    store = home.context.store
    committed(store).outbox.release([1], home.clock.now)
    assert store.claim(1, "me", home.clock.now) is not None
    monkeypatch.setattr("bounce_watch.pipeline.maintenance.ROUNDS", 1)
    assert take_out(home, PERSON).left == 1
    assert store.finish(1, "sent", f"250 {PERSON} ok", home.clock.now) is OutboxState.SENT
    done = take_out(home, PERSON)
    assert (done.left, store.outbox.show(1)[0].state) == (0, OutboxState.SENT)
    assert not is_anywhere(home, PERSON)
