"""What is old goes, whatever something still needs stays, and counts outlive it where the site wants that."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel, func, select

from bounce_watch.model import Count, Edition, Evidence, IncidentState, OutboxState
from bounce_watch.store import By, HistoryFilter, MessageState, Store, tables
from bounce_watch.store.maintenance.retention import Purgeable, RetentionLimits
from tests.store.committed import set_state, state_at
from tests.store.conftest import Ingest
from tests.store.test_digest import close_day
from tests.store.test_incidents import FINDING
from tests.store.values import BOUNCE, LETTER, NOW, REPORT, body, place

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LATER = NOW + 500 * DAY
TODAY = LATER.date()


def limits(store: Store, *, days: int = 400, **more: Any) -> RetentionLimits:
    before = LATER - days * DAY
    values = {"before": before, "mails_before": before, "quarantined_before": before}
    return RetentionLimits(**values | {"digested": store.maintenance.digested()} | more)


def purge(store: Store, *, outlive: bool = False, **more: Any) -> Counter[str]:
    """Delete in batches of two, as the pipeline does in larger ones."""
    gone, wanted = Counter[str](), limits(store, **more)
    for what in Purgeable:
        after = 0
        while numbers := store.maintenance.find_old(what, wanted, after=after, most=2):
            with store.transaction() as tx:
                gone += tx.maintenance.delete_old(what, numbers, wanted, keep=outlive)
            after = numbers[-1]
    return gone


def rows(store: Store, table: type[SQLModel]) -> int:
    with store.open_session() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def filed(store: Store) -> None:
    with store.transaction() as tx:
        tx.messages.note_moved("imap:bounces/INBOX")


def tell(store: Store, day: date = TODAY, now: datetime = LATER) -> None:
    close_day(store, day, now)


def test_old_bounces_go_with_all_that_hangs_on_them(store: Store, ingest: Ingest) -> None:
    for _ in range(5):
        ingest(BOUNCE, replace(BOUNCE, recipient="second@partner.example"))
    with store.transaction() as tx:
        tx.outbox.withhold("anna@contoso.example", "unknown", "never_to", NOW, report_id=3)
    ingest(replace(BOUNCE, occurred_at=LATER), now=LATER)
    filed(store)
    tell(store)
    gone = purge(store)
    assert gone == {"messages": 5, "reports": 5, "bounces": 10, "withheld": 1}
    tables_ = (tables.Message, tables.Report, tables.Bounce, tables.Withheld)
    assert [rows(store, table) for table in tables_] == [1, 1, 1, 0]
    assert purge(store) == {}


def test_what_is_young_stays(store: Store, ingest: Ingest) -> None:
    ingest(now=LATER - 399 * DAY)
    ingest(now=LATER - 401 * DAY)
    filed(store)
    tell(store)
    assert purge(store)["messages"] == 1


def test_a_message_is_as_old_as_its_arrival_not_as_it_claims(store: Store, ingest: Ingest) -> None:
    """A report dated 1990 tells no lie that deletes it."""
    ingest(replace(BOUNCE, occurred_at=datetime(1990, 1, 1, tzinfo=NOW.tzinfo)), now=LATER)
    filed(store)
    tell(store)
    assert purge(store) == {}


def test_without_a_limit_nothing_goes(store: Store, ingest: Ingest) -> None:
    ingest()
    filed(store)
    tell(store)
    assert purge(store, before=None, mails_before=None, quarantined_before=None) == {}


def _open_incident(store: Store) -> None:
    with store.transaction() as tx:
        tx.incidents.save_finding(replace(FINDING, events=(1,)), NOW, quiet=False)


def _young_incident(store: Store) -> None:
    _open_incident(store)
    with store.transaction() as tx:
        tx.incidents.resolve(1, LATER - DAY)


def _incident_with_waiting_alert(store: Store) -> None:
    _open_incident(store)
    with store.transaction() as tx:
        tx.incidents.resolve(1, NOW)
        tx.outbox.enqueue(LETTER, content=b"x", bw_id="1", state=OutboxState.HELD, now=NOW, incident=1)


def _mail(state: OutboxState) -> Callable[[Store], None]:
    def write(store: Store) -> None:
        with store.transaction() as tx:
            tx.outbox.enqueue(
                LETTER, content=b"x", bw_id="1", state=OutboxState.PENDING, now=NOW, report_id=1
            )
            row = tx.session.get_one(tables.Outgoing, 1)
            row.state = state

    return write


def _young_answer(store: Store) -> None:
    with store.transaction() as tx:
        tx.outbox.enqueue(LETTER, content=b"x", bw_id="1", state=OutboxState.PENDING, now=LATER, report_id=1)
        tx.outbox.claim(1, "me", LATER)
        tx.outbox.finish(1, "sent", "250", LATER)


def _young_copy(store: Store) -> None:
    with store.transaction() as tx:
        message = tx.messages.add_message(**place("copy"), **body(now=LATER))
        report = replace(REPORT, fingerprint="fingerprint-1")
        copy = tx.messages.add_report(message, report, evidence=Evidence.INTERNAL, tests=(), now=LATER)
        assert copy.duplicate_of == 1


def _state(state: MessageState) -> Callable[[Store], None]:
    def change(store: Store) -> None:
        with store.transaction() as tx:
            set_state(tx, 1, state)

    return change


NEEDED = [
    pytest.param(_open_incident, "proof of an incident that stays", id="an open incident"),
    pytest.param(
        _young_incident, "proof of an incident that stays", id="an incident that was over yesterday"
    ),
    pytest.param(
        _incident_with_waiting_alert, "proof of an incident that stays", id="an incident whose alert waits"
    ),
    pytest.param(_mail(OutboxState.PENDING), "a mail about it stays", id="a pending answer"),
    pytest.param(_mail(OutboxState.HELD), "a mail about it stays", id="a held answer"),
    pytest.param(_mail(OutboxState.SENDING), "a mail about it stays", id="an answer that is being sent"),
    pytest.param(_mail(OutboxState.UNKNOWN), "a mail about it stays", id="an answer that may have been sent"),
    pytest.param(_young_answer, "a mail about it stays", id="an answer of today"),
    pytest.param(_young_copy, "a copy came later", id="a copy of today"),
    pytest.param(_state(MessageState.STORED), "unfinished", id="a move that is not done"),
    pytest.param(_state(MessageState.SEEN), "unfinished", id="a reading that failed"),
]


@pytest.mark.parametrize(("need", "why"), NEEDED)
def test_what_something_needs_stays_and_is_named(
    store: Store, ingest: Ingest, need: Callable[[Store], None], why: str
) -> None:
    ingest()
    ingest()
    filed(store)
    need(store)
    tell(store)
    assert store.maintenance.old_rows(limits(store)).stays == {why: 1}
    assert purge(store)["messages"] == 1
    assert store.history.show(1).bounce is not None


def test_what_no_digest_has_told_yet_stays(store: Store, ingest: Ingest) -> None:
    ingest()
    filed(store)
    assert store.maintenance.old_rows(limits(store)).stays == {"not yet in a digest": 1}
    assert purge(store) == {}
    tell(store, NOW.date(), NOW)
    ingest()
    filed(store)
    assert purge(store)["messages"] == 1
    tell(store)
    assert purge(store)["messages"] == 1


def test_a_longer_edition_that_is_still_to_come_keeps_its_days(store: Store, ingest: Ingest) -> None:
    """A monthly digest needs what came since the one that ended the month before."""
    monday = date(2026, 3, 2)
    for shift in range(10):
        ingest(now=NOW + shift * DAY)
        tell(store, monday + shift * DAY, NOW + shift * DAY)
    filed(store)
    monthly = store.maintenance.digested([Edition.MONTHLY])
    assert monthly.until is None or monthly.until <= NOW
    weekly = store.maintenance.digested([Edition.WEEKLY], weekday=0)
    assert purge(store, digested=monthly)["messages"] <= 1
    assert purge(store, digested=weekly)["messages"] in (7, 8)
    assert purge(store)["messages"] == 2


def test_an_incident_that_is_long_over_goes_with_its_proof(store: Store, ingest: Ingest) -> None:
    ingest()
    _open_incident(store)
    with store.transaction() as tx:
        tx.incidents.resolve(1, NOW)
        tx.incidents.save_finding(replace(FINDING, events=(1,)), NOW + 3 * DAY, quiet=False)
        tx.outbox.enqueue(LETTER, content=b"x", bw_id="1", state=OutboxState.PENDING, now=NOW, incident=1)
        tx.outbox.claim(1, "me", NOW)
        tx.outbox.finish(1, "sent", "250", NOW)
    filed(store)
    tell(store)
    assert purge(store) == {"mails": 1, "incidents": 1}
    assert store.incidents.show(2).previous is None
    with store.transaction() as tx:
        tx.incidents.resolve(2, NOW + 4 * DAY)
    tell(store, TODAY + DAY, LATER + DAY)
    gone = purge(store)
    assert (gone["incidents"], gone["bounces"]) == (1, 1)
    assert store.incidents.list(IncidentState.RESOLVED) == ()


def test_a_mail_that_no_digest_has_counted_stays(store: Store) -> None:
    tell(store, NOW.date(), NOW)
    with store.transaction() as tx:
        tx.outbox.enqueue(LETTER, content=b"x", bw_id="1", state=OutboxState.PENDING, now=NOW + DAY)
        tx.outbox.claim(1, "me", NOW + DAY)
        tx.outbox.finish(1, "sent", "250", NOW + DAY)
    assert purge(store) == {}
    tell(store)
    assert purge(store) == {"mails": 1}


def test_unreadable_mail_goes_by_its_own_limit(store: Store) -> None:
    with store.transaction() as tx:
        tx.quarantine.add(**place(), sha256="0", raw=b"bytes", reason="no format", received_at=NOW, now=NOW)
    tell(store)
    assert purge(store, quarantined_before=None) == {"messages": 1}
    assert store.quarantine.show(1)[1] == b"bytes"
    assert purge(store) == {"quarantined": 1}
    assert state_at(store, **place()) is MessageState.QUARANTINED


PLACES = [
    pytest.param(
        "imap://bounces@contoso.example@mail.example/INBOX", MessageState.FILED, None, id="imap filed"
    ),
    pytest.param("maildir:/mail", MessageState.FILED, None, id="maildir filed"),
    pytest.param("imap://a@mail.example/INBOX", MessageState.LEFT, MessageState.LEFT, id="imap left"),
    pytest.param("mbox:/mail", MessageState.FILED, MessageState.FILED, id="mbox, which is never changed"),
    pytest.param("files:/mail", MessageState.FILED, MessageState.FILED, id="files, which are never changed"),
]


@pytest.mark.parametrize(("mailbox", "state", "known"), PLACES)
def test_mail_that_still_lies_in_the_watched_place_never_counts_as_new(
    store: Store, mailbox: str, state: MessageState, known: MessageState | None
) -> None:
    with store.transaction() as tx:
        number = tx.messages.add_message(**place(mailbox=mailbox), **body(), reason="automatic reply of anna")
        set_state(tx, number, state)
    tell(store)
    assert purge(store)["messages"] == 1
    assert state_at(store, **place(mailbox=mailbox)) is known
    with store.open_session() as session:
        kept = session.exec(select(tables.Message)).all()
    assert [(row.sha256, row.size, row.reason) for row in kept] == [(None, None, None)] * len(kept)
    assert purge(store) == {}


def test_daily_counts_outlive_the_bounces_where_the_site_wants_it(store: Store, ingest: Ingest) -> None:
    """All but those of people; a message of two days counts on the day of its first row."""
    ingest(BOUNCE, replace(BOUNCE, recipient="late@partner.example", occurred_at=NOW + DAY), now=NOW + DAY)
    ingest()
    ingest(replace(BOUNCE, sender="bert@contoso.example", occurred_at=LATER), now=LATER)
    filed(store)
    tell(store)
    before = {by: store.history.top(by) for by in By}
    trend = store.history.trend(NOW - DAY)
    assert purge(store, outlive=True)["bounces"] == 3
    after = {by: store.history.top(by) for by in By}
    assert {by for by in By if before[by] != after[by]} == {By.SENDER, By.RECIPIENT}
    assert after[By.SENDER] == (Count(label="bert@contoso.example", now=1),)
    assert sum(tick.messages for tick in store.history.trend(NOW - DAY)) == sum(t.messages for t in trend)
    assert store.history.top(By.CAUSE, HistoryFilter(since=NOW + HOUR, until=LATER)) == ()
    with store.open_session() as session:
        labels = set(session.exec(select(tables.DailyCount.label)))
    assert not any("@" in label for label in labels)


@pytest.mark.parametrize(("outlive", "counted"), [(True, [2]), (False, [])])
def test_what_was_purged_in_two_runs_adds_up(
    store: Store, ingest: Ingest, outlive: bool, counted: list[int]
) -> None:
    for days in range(2):
        ingest()
        filed(store)
        tell(store, TODAY + days * DAY, LATER + days * DAY)
        purge(store, outlive=outlive)
    assert [count.now for count in store.history.top(By.CAUSE)] == counted


def test_a_digest_after_everything_was_deleted_tells_only_of_what_is_new(
    store: Store, ingest: Ingest
) -> None:
    """Its span does not begin at zero again, where counts that outlive would be taken for news."""
    ingest()
    ingest()
    filed(store)
    tell(store)
    assert purge(store, outlive=True)["messages"] == 2
    tell(store, TODAY + DAY, LATER + DAY)
    ingest(replace(BOUNCE, occurred_at=LATER + 2 * DAY), now=LATER + 2 * DAY)
    assert close_day(store, TODAY + 2 * DAY, LATER + 2 * DAY).bounces.now == 1
