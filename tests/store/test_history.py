"""Any question about the past is answered, and nothing typed into it is a wildcard by accident."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from bounce_watch.model import Action, Cause, Certainty, Count, Evidence, Owner, Side
from bounce_watch.store import By, HistoryFilter, MessageState, NotThere, Order, Store
from tests.store.conftest import Ingest
from tests.store.values import BOUNCE, NOW

HOUR = timedelta(hours=1)


@pytest.fixture
def week(ingest: Ingest) -> None:
    """Five bounces of four messages."""
    full = replace(
        BOUNCE,
        sender="Bert_x@fabrikam.example",
        recipient="full@partner.example",
        status="5.2.2",
        reply_code="552",
        cause=Cause.MAILBOX_FULL,
        owner=Owner.RECIPIENT_ADMIN,
        side=Side.THEIRS,
        certainty=Certainty.TOLD,
        diagnostic_code="552 5.2.2 mailbox is 100% full\\",
        occurred_at=NOW - 2 * HOUR,
    )
    ingest(BOUNCE, replace(BOUNCE, recipient="other@partner.example"))
    ingest(full)
    ingest(replace(full, sender="bertax@fabrikam.example", occurred_at=NOW - 3 * HOUR))
    ingest(replace(BOUNCE, action=Action.DELAYED, recipient="late@slow.example", sender=None), now=NOW + HOUR)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param({}, [5, 2, 1, 3, 4], id="everything, newest first"),
        pytest.param({"sender": "ANNA@contoso.example"}, [2, 1], id="a sender, whatever the case"),
        pytest.param({"sender": "bert_x@fabrikam.example"}, [3], id="an underscore is no wildcard"),
        pytest.param({"sender": "bert*@fabrikam.example"}, [3, 4], id="a star is one"),
        pytest.param({"sender": "bert_*"}, [3], id="an underscore beside a star is none"),
        pytest.param({"sender": "%"}, [], id="a percent sign is no wildcard"),
        pytest.param({"sender_domain": "Fabrikam.example"}, [3, 4], id="a sender's domain"),
        pytest.param({"recipient": "no.body@PARTNER.example"}, [1], id="a recipient"),
        pytest.param({"domain": "slow.example"}, [5], id="a recipient's domain"),
        pytest.param({"code": "5.2.2"}, [3, 4], id="a status"),
        pytest.param({"code": "550"}, [5, 2, 1], id="a reply code"),
        pytest.param({"cause": Cause.MAILBOX_FULL}, [3, 4], id="a cause"),
        pytest.param({"owner": Owner.RECIPIENT_ADMIN, "side": Side.THEIRS}, [3, 4], id="owner and side"),
        pytest.param({"certainty": Certainty.TOLD}, [3, 4], id="a certainty"),
        pytest.param({"certainty": Certainty.LIKELY}, [], id="another certainty"),
        pytest.param({"since": NOW - 2 * HOUR}, [5, 2, 1, 3], id="since is included"),
        pytest.param({"until": NOW - 2 * HOUR}, [4], id="until is not"),
        pytest.param({"text": "100% FULL"}, [3, 4], id="text, whatever the case"),
        pytest.param({"text": "full\\"}, [3, 4], id="a backslash is itself"),
        pytest.param({"text": "1%f"}, [], id="a percent sign in text is itself"),
        pytest.param({"text": "50%_off"}, [5, 2, 1, 3, 4], id="text in the subject"),
        pytest.param({"text": "50%xoff"}, [], id="an underscore in text is itself"),
        pytest.param({"text": "' OR 1=1 --", "sender": "'; DROP TABLE bounce"}, [], id="no way into SQL"),
        pytest.param({"text": "\ud800\x00", "sender": "\udfff"}, [], id="text that no database stores"),
        pytest.param({"incident": 9}, [], id="an incident that is not there"),
    ],
)
@pytest.mark.usefixtures("week")
def test_filters_find_what_they_say(store: Store, chosen: dict[str, Any], expected: list[int]) -> None:
    asked = HistoryFilter(**chosen)
    assert [row.id for row in store.history.find(asked)] == expected
    assert store.history.count(asked) == len(expected)


@pytest.mark.usefixtures("week")
def test_rows_come_in_pages_and_in_both_orders(store: Store) -> None:
    assert [row.id for row in store.history.find(limit=2, offset=1)] == [2, 1]
    assert [row.id for row in store.history.find(order=Order.OLDEST)] == [4, 3, 1, 2, 5]
    assert [row.id for row in store.history.find(limit=None)] == [5, 2, 1, 3, 4]
    assert next(store.history.find(limit=None)).id == 5


@pytest.mark.usefixtures("week")
def test_rows_are_what_was_stored(store: Store) -> None:
    row = next(store.history.find(HistoryFilter(code="5.2.2")))
    assert row.bounce.sender == "Bert_x@fabrikam.example"
    assert row.bounce.side is Side.THEIRS
    assert row.bounce.occurred_at == NOW - 2 * HOUR
    assert row.bounce.occurred_at.tzinfo is UTC
    assert (row.subject, row.original_message_id) == ("Offer 50%_off", "<mail-1@contoso.example>")


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (By.SENDER, {"anna@contoso.example": 1, "bert_x@fabrikam.example": 1, "bertax@fabrikam.example": 1}),
        (By.DOMAIN, {"partner.example": 3}),
        (By.CAUSE, {"mailbox_full": 2, "recipient_unknown": 1}),
        (By.CODE, {"5.2.2": 2, "5.1.1": 1}),
        (By.OWNER, {"recipient_admin": 2, "sender": 1}),
        (
            By.RECIPIENT,
            {"full@partner.example": 2, "no.body@partner.example": 1, "other@partner.example": 1},
        ),
    ],
)
@pytest.mark.usefixtures("week")
def test_top_counts_failed_messages(store: Store, by: By, expected: dict[str, int]) -> None:
    """One mail to two people is one; a delay is none; most come first."""
    counts = store.history.top(by)
    assert {count.label: count.now for count in counts} == expected
    assert [count.now for count in counts] == sorted(expected.values(), reverse=True)


@pytest.mark.usefixtures("week")
def test_top_takes_filters_and_a_limit(store: Store) -> None:
    assert store.history.top(By.CAUSE, limit=1) == (Count(label="mailbox_full", now=2),)
    assert store.history.top(By.CAUSE, HistoryFilter(since=NOW)) == (Count(label="recipient_unknown", now=1),)
    assert store.history.top(By.SENDER, HistoryFilter(text="nothing like it")) == ()


def test_a_bounce_shows_its_report_message_and_siblings(store: Store, ingest: Ingest) -> None:
    _, (first, second) = ingest(BOUNCE, replace(BOUNCE, recipient="other@partner.example"))
    shown = store.history.show(second.bounce_id)
    assert shown.bounce is not None
    assert shown.bounce.id == second.bounce_id
    assert [row.id for row in shown.bounces] == [first.bounce_id, second.bounce_id]
    assert shown.report.evidence is Evidence.INTERNAL
    assert shown.report.report.original.subject == "Offer 50%_off"
    assert shown.message.state is MessageState.STORED


def test_numbers_that_are_not_there_are_clear_faults(store: Store) -> None:
    with pytest.raises(NotThere, match="no bounce 9"):
        store.history.show(9)
    with pytest.raises(NotThere):
        store.history.show(10**30)


@pytest.mark.usefixtures("week")
def test_figures_of_the_whole_store(store: Store) -> None:
    with store.transaction() as tx:
        assert tx.state.start_run(NOW) == 1
        assert tx.state.start_run(NOW + HOUR) == 2
        tx.mailboxes.note_fetch(NOW + 2 * HOUR)
    figures = store.summary.stats()
    assert figures.messages == {"failure": 4}
    assert (figures.reports, figures.duplicates, figures.bounces, figures.incidents_open) == (4, 0, 5, 0)
    assert (figures.first_run_at, figures.last_success_fetch_at) == (NOW, NOW + 2 * HOUR)
    assert (figures.first_bounce_at, figures.last_bounce_at) == (NOW - 3 * HOUR, NOW)
    assert (figures.outbox, figures.quarantined, figures.oldest_pending_at) == ({}, 0, None)
