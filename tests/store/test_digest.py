"""Each row is in exactly one digest, and each local date has at most one."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from bounce_watch.model import Action, Cause, Count, Digest, Evidence, Finding, OutboxState
from bounce_watch.store import MessageState, Store
from tests.store.conftest import Ingest
from tests.store.test_incidents import FINDING
from tests.store.values import BOUNCE, LETTER, NOW, body, place

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MONDAY = date(2026, 3, 2)
ZONE = "Europe/Berlin"
ACCEPTED = frozenset({Evidence.INTERNAL})


def close_day(store: Store, local_date: date, now: datetime, event_key: str | None = "digest") -> Digest:
    with store.transaction() as tx:
        digest = tx.digests.count(local_date, ZONE, now, accepted=ACCEPTED)
        assert tx.digests.record(digest, event_key)
        return digest


def finding(*bounce_ids: int, key: str = "contoso.example") -> Finding:
    return replace(FINDING, events=bounce_ids, messages=len(bounce_ids), key=key)


def test_each_bounce_is_in_one_digest_whatever_its_time(store: Store, ingest: Ingest) -> None:
    """Late mail belongs to the digest after its arrival, not to the day it tells of."""
    ingest()
    first = close_day(store, MONDAY, NOW)
    ingest(replace(BOUNCE, occurred_at=NOW - 30 * DAY))
    ingest(replace(BOUNCE, occurred_at=NOW + HOUR))
    second = close_day(store, MONDAY + DAY, NOW + DAY)
    third = close_day(store, MONDAY + 2 * DAY, NOW + 2 * DAY)
    assert [digest.bounces.now for digest in (first, second, third)] == [1, 2, 0]
    assert (second.since, second.until) == (first.until, NOW + DAY)
    assert third.is_empty


def test_missed_days_are_one_digest_that_names_the_span(store: Store, ingest: Ingest) -> None:
    close_day(store, MONDAY, NOW)
    ingest()
    late = close_day(store, MONDAY + 5 * DAY, NOW + 5 * DAY)
    assert (late.since, late.until, late.bounces.now) == (NOW, NOW + 5 * DAY, 1)


@pytest.mark.parametrize("days", [0, -1])
def test_a_date_that_is_closed_is_never_closed_again(store: Store, ingest: Ingest, days: int) -> None:
    """A clock set back, a new time zone or a second process opens no date again."""
    close_day(store, MONDAY, NOW)
    ingest()
    with store.transaction() as tx:
        again = tx.digests.count(MONDAY + days * DAY, ZONE, NOW - HOUR)
        assert not tx.digests.record(again, "digest")
    assert store.digests.last_date(MONDAY) == MONDAY
    assert close_day(store, MONDAY + DAY, NOW + DAY).bounces.now == 1


def test_a_clock_that_goes_back_makes_no_negative_span(store: Store) -> None:
    close_day(store, MONDAY, NOW)
    digest = close_day(store, MONDAY + DAY, NOW - HOUR)
    assert digest.since == digest.until == NOW


def test_a_digest_that_was_made_can_be_counted_again(store: Store, ingest: Ingest) -> None:
    ingest()
    first = close_day(store, MONDAY, NOW)
    ingest()
    close_day(store, MONDAY + DAY, NOW + DAY)
    assert store.digests.count(MONDAY, ZONE, NOW + 9 * DAY, accepted=ACCEPTED) == first


def test_people_read_counts_of_mails(store: Store, ingest: Ingest) -> None:
    ingest(BOUNCE, replace(BOUNCE, recipient="other@partner.example"))
    ingest(replace(BOUNCE, cause=Cause.MAILBOX_FULL, sender="bert@contoso.example"))
    ingest(replace(BOUNCE, action=Action.DELAYED))
    digest = close_day(store, MONDAY, NOW)
    assert (digest.messages.now, digest.bounces.now, digest.delays.now) == (2, 3, 1)
    assert digest.causes == (Count(label="mailbox_full", now=1), Count(label="recipient_unknown", now=1))
    assert digest.domains == (Count(label="partner.example", now=2),)
    assert digest.owners == (Count(label="sender", now=2),)
    assert [count.label for count in digest.senders] == ["anna@contoso.example", "bert@contoso.example"]


def test_what_the_site_does_not_believe_is_counted_apart(store: Store, ingest: Ingest) -> None:
    ingest()
    ingest(replace(BOUNCE, evidence=Evidence.UNVERIFIED), replace(BOUNCE, evidence=None))
    digest = close_day(store, MONDAY, NOW)
    assert (digest.bounces.now, digest.unverified) == (1, 2)


def test_the_week_before_is_compared_only_when_we_watched(store: Store, ingest: Ingest) -> None:
    """The same span a week earlier, by the time of the bounce; before our first run it is unknown."""
    with store.transaction() as tx:
        tx.state.start_run(NOW)
    ingest(now=NOW + HOUR)
    close_day(store, MONDAY, NOW)
    ingest(replace(BOUNCE, occurred_at=NOW + HOUR), now=NOW + HOUR)
    assert close_day(store, MONDAY + DAY, NOW + DAY).messages.before is None
    close_day(store, MONDAY + 7 * DAY, NOW + 7 * DAY)
    ingest(replace(BOUNCE, cause=Cause.MAILBOX_FULL, occurred_at=NOW + 8 * DAY), now=NOW + 8 * DAY)
    digest = close_day(store, MONDAY + 8 * DAY, NOW + 8 * DAY)
    assert digest.messages == Count(label="messages", now=1, before=2)
    assert digest.causes == (Count(label="mailbox_full", now=1, before=0),)
    assert digest.domains == (Count(label="partner.example", now=1, before=2),)


def test_incidents_are_told_as_opened_still_open_and_resolved(store: Store, ingest: Ingest) -> None:
    ids = [ingest()[1][0].bounce_id for _ in range(3)]
    with store.transaction() as tx:
        tx.incidents.save_finding(finding(ids[0]), NOW, quiet=False)
        tx.incidents.save_finding(finding(ids[1], key="old.example"), NOW, quiet=True)
    first = close_day(store, MONDAY, NOW)
    with store.transaction() as tx:
        tx.incidents.save_finding(finding(ids[2], key="fabrikam.example"), NOW, quiet=False)
    second = close_day(store, MONDAY + DAY, NOW + DAY)
    with store.transaction() as tx:
        tx.incidents.resolve(1, NOW + DAY)
    third = close_day(store, MONDAY + 2 * DAY, NOW + 2 * DAY)

    def told(digest: Digest) -> list[list[int]]:
        parts = (digest.opened, digest.still_open, digest.resolved)
        return [[incident.number for incident in part] for part in parts]

    assert told(first) == [[1], [], []]
    assert told(second) == [[3], [1], []]
    assert told(third) == [[], [3], [1]]


def test_mails_sent_held_and_withheld_are_told(store: Store, ingest: Ingest) -> None:
    stored, _ = ingest()
    ingest(fingerprint="fingerprint-1")
    with store.transaction() as tx:
        for number, state in enumerate((OutboxState.PENDING, OutboxState.HELD, OutboxState.HELD)):
            letter = replace(LETTER, event_key=f"reply-{number}")
            tx.outbox.enqueue(
                letter, content=b"", bw_id=f"{number}", state=state, now=NOW, report_id=stored.report_id
            )
        for reason in ("told already", "a robot", "told already"):
            tx.outbox.withhold("x@contoso.example", "mailbox_full", reason, NOW)
        tx.messages.add_message(**place("newsletter"), **(body() | {"state": MessageState.LEFT}))
        tx.quarantine.add(**place("bad"), sha256="0", raw=b"?", reason="torn", received_at=NOW, now=NOW)
    store.claim(1, "me", NOW)
    store.finish(1, "sent", "250", NOW + HOUR)
    digest = close_day(store, MONDAY, NOW + DAY)
    assert (digest.replies_sent, digest.replies_held) == (1, 2)
    assert digest.withheld == (Count(label="told already", now=2), Count(label="a robot", now=1))
    assert (digest.duplicates, digest.left_alone, digest.quarantined) == (1, 1, 1)
    after = close_day(store, MONDAY + DAY, NOW + 2 * DAY)
    assert (after.replies_sent, after.withheld, after.duplicates, after.quarantined) == (0, (), 0, 0)
    assert after.replies_held == 2
