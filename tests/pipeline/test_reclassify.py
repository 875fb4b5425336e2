"""What is stored is judged again with the catalogue in force, in portions, and back to the very rows."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bounce_watch.classify import Catalogue, judge, judge_again, load_catalogue
from bounce_watch.model import Bounce, Cause, Evidence, Report, Site
from bounce_watch.parse import read
from bounce_watch.pipeline.reclassify import count_otherwise, note_otherwise, reclassify, restore
from bounce_watch.shipped_files import catalogue_text
from bounce_watch.store import By, HistoryFilter, Store
from bounce_watch.store.tables import Bounce as Row
from tests.classify.reports import CATALOGUE, SITE, fields, report
from tests.pipeline.conftest import Home, ndr
from tests.store.blank import lay_blank_store
from tests.store.values import NOW, body, place

SAMPLES = sorted(Path(__file__).parents[1].joinpath("samples").rglob("*.eml"))
SITE_CODES = """
[[code]]
variant = "parked"
match = ["mailbox is parked"]
title = "The mailbox is parked"
meaning = "The mailbox takes nothing at present."
cause = "mailbox_disabled"
source = "https://partner.example/codes"
checked = 2026-11-30
confidence = "observed"
weight = "sure"
"""
NEW = load_catalogue(catalogue_text(), SITE_CODES)
WORDS = (
    "550 5.1.1 user unknown",
    "554 the mailbox is parked",
    "452 4.2.2 mailbox full",
    "550 5.7.1 the mailbox is parked, ask the owner",
)
SOON = 0.4
"""Seconds within which a process is killed."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(lay_blank_store(tmp_path / "store.db")) as opened:
        yield opened


def fill(store: Store, count: int, catalogue: Catalogue = CATALOGUE, first: int = 0) -> None:
    """Store reports of some hundred recipients each, as a service does."""
    with store.transaction() as tx:
        for start in range(first, first + count, 200):
            entries = [
                fields(f"{WORDS[n % len(WORDS)]} {n % 97}", final_recipient=f"r{n}@partner.example")
                for n in range(start, min(start + 200, first + count))
            ]
            put(tx, str(start), judge(report(*entries, fingerprint=f"f{start}"), catalogue, SITE))


def put(tx: Any, uid: str, bounces: Iterable[Bounce], told: Report | None = None) -> None:
    message = tx.messages.add_message(**place(uid), **body())
    told = replace(told or report(), fingerprint=f"fingerprint-{uid}")
    stored = tx.messages.add_report(message, told, evidence=Evidence.INTERNAL, tests=(), now=NOW)
    tx.messages.add_bounces(stored, list(bounces), NOW)


def rows(store: Store) -> list[tuple[Any, ...]]:
    with store.open_session() as session:
        table = Row.__table__  # type: ignore[attr-defined]
        return [tuple(row) for row in session.connection().execute(table.select().order_by(table.c.id))]


def recount(store: Store) -> Counter[str]:
    """Count the recipients of each cause row by row."""
    with store.open_session() as session:
        return Counter(row.cause for row in session.exec(select(Row)))


def assert_counts(store: Store) -> None:
    """Compare what the program tells of causes and owners with a count of each row."""
    with store.open_session() as session:
        rows = session.exec(select(Row)).all()
    for by, name in ((By.CAUSE, "cause"), (By.OWNER, "owner")):
        messages = Counter(label for _, label in {(row.message_id, getattr(row, name)) for row in rows})
        assert {count.label: count.now for count in store.history.top(by)} == messages


def test_every_sample_is_judged_again_as_at_first(store: Store) -> None:
    """The words, the codes and who spoke are stored: what the judge needs is all there."""
    site: list[Site | None] = [None, SITE]
    seen = 0
    for number, path in enumerate(SAMPLES):
        for reading in read(path.read_bytes()):
            if isinstance(reading, Report):
                with store.transaction() as tx:
                    seen += 1
                    put(tx, f"{number}-{seen}", judge(reading, CATALOGUE, site[seen % 2]), reading)
    before = rows(store)
    found = store.verdicts.of_other_catalogues("another", most=10_000)
    assert len(found) > 60
    for stored in found:
        assert judge_again(stored.bounce, stored.report, CATALOGUE) == stored.bounce
    assert reclassify(store, CATALOGUE).judged == 0
    assert rows(store) == before


def test_new_words_change_what_they_are_in_and_nothing_else(store: Store) -> None:
    fill(store, 400)
    before = rows(store)
    assert count_otherwise(store, NEW).counts.total() == 200
    note_otherwise(store, NEW)
    assert store.verdicts.otherwise(NEW.version) == 200
    tried = reclassify(store, NEW, dry_run=True)
    assert rows(store) == before
    changes = reclassify(store, NEW)
    assert (changes.judged, changes.counts, changes.examples) == (400, tried.counts, tried.examples)
    assert sum(changes.counts.values()) == 200
    assert {change.new_cause for change in changes.counts} == {Cause.MAILBOX_DISABLED}
    assert all(len(numbers) == 3 for numbers in changes.examples.values())
    assert recount(store)[Cause.MAILBOX_DISABLED] == 200
    assert not count_otherwise(store, NEW).counts
    assert not store.outbox.list()
    assert not store.incidents.list_open()
    first = next(row.first_verdict for row in store.history.find() if row.bounce.cause == "mailbox_disabled")
    assert first is not None
    assert first["catalogue"] == CATALOGUE.version
    assert first["cause"] != "mailbox_disabled"
    assert restore(store) == 400
    assert rows(store) == before


def test_the_first_verdict_stays_when_judged_twice(store: Store) -> None:
    fill(store, 8)
    before = rows(store)
    third = load_catalogue(catalogue_text(), SITE_CODES.replace("mailbox_disabled", "mailbox_full"))
    for catalogue in (NEW, third):
        reclassify(store, catalogue)
    assert recount(store)[Cause.MAILBOX_FULL] == 6
    restore(store)
    assert rows(store) == before


def test_only_newer_bounces_are_judged_again_if_asked(store: Store) -> None:
    fill(store, 8)
    assert reclassify(store, NEW, since=NOW).judged == 8
    restore(store, since=NOW)
    assert reclassify(store, NEW, since=NOW.replace(year=2027)).judged == 0


def kill_again_and_again(path: Path, kills: int) -> None:
    """Start the work in a process of its own and kill it, so often; then let it end."""
    for number in range(kills + 1):
        child = os.fork()
        if child == 0:
            try:
                with Store.open(path, migrate=False) as own:
                    reclassify(own, NEW)
            finally:
                os._exit(0)
        if number < kills:
            time.sleep(SOON * (number % 10 + 1) / 10)
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.parametrize(
    ("bounces", "kills"),
    [pytest.param(600, 2, id="a few"), pytest.param(20_000, 50, id="many", marks=pytest.mark.proof)],
)
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_run_continues_beside_a_service_that_stores(
    tmp_path: Path, bounces: int, kills: int
) -> None:
    """The counts equal a recount, and undoing gives back the very rows, those of the service too."""
    path = lay_blank_store(tmp_path / "store.db")
    with Store.open(path) as store:
        fill(store, bounces)
    service = os.fork()
    if service == 0:
        try:
            with Store.open(path, migrate=False) as own:
                for number in range(20):
                    fill(own, 4, first=bounces + 200 * (number + 1))
                    time.sleep(0.05)
        finally:
            os._exit(0)
    began = time.monotonic()
    kill_again_and_again(path, kills)
    print(f"{bounces} bounces, {kills} kills: {time.monotonic() - began:.1f} s")
    os.waitpid(service, 0)
    with Store.open(path) as store:
        reclassify(store, NEW)
        assert store.history.count() == bounces + 80
        assert not store.verdicts.of_other_catalogues(NEW.version, most=1)
        assert_counts(store)
        assert recount(store)[Cause.MAILBOX_DISABLED] == (bounces + 80) // 2
        restore(store)
        assert recount(store)[Cause.MAILBOX_DISABLED] == 0
        with Store.open(lay_blank_store(tmp_path / "fresh.db")) as fresh:
            fill(fresh, bounces)

            assert [row[3:] for row in rows(store)[:bounces]] == [row[3:] for row in rows(fresh)]


def test_the_digest_tells_what_a_new_catalogue_would_change(open_home: Callable[..., Home]) -> None:
    """It is counted once for a catalogue, before the digest, and nothing is told when nothing changes."""
    home = open_home(('at = "23:30:00"', 'at = "07:00:00"'))
    home.deliver(ndr(number=1, at=home.clock.now), "1.a")
    assert home.look().digest
    home.clock.now += timedelta(days=1)
    assert home.look().digest
    told = b"stored bounces that the new catalogue judges differently: 1"
    assert not any(told in text for text in texts(home))
    with home.context.store.transaction() as tx:
        row = tx.session.exec(select(Row)).one()
        row.cause, row.catalogue = "mail_loop", "an older one"
        tx.verdicts.note_otherwise("an older one", 0)
    home.clock.now += timedelta(days=1)
    home.deliver(ndr(number=2, at=home.clock.now), "2.a")
    assert home.look().digest
    home.look()
    assert any(told in text for text in texts(home))
    reclassify(home.context.store, home.context.catalogue)
    assert home.context.store.history.count(HistoryFilter(cause=Cause.MAIL_LOOP)) == 0


def texts(home: Home) -> Iterator[bytes]:
    """Yield the plain text of each message that left, on one line."""
    for raw in home.sent():
        for part in message_from_bytes(raw).walk():
            content = part.get_payload(decode=True)
            if part.get_content_type() == "text/plain" and isinstance(content, bytes):
                yield b" ".join(content.split())
