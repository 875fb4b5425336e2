"""Mail is settled by its head when it is no report; what is a report, or is kept, was read from all of it."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from bounce_watch.cli.common.cycle import untouched
from bounce_watch.model import Kind
from bounce_watch.pipeline import CycleResult, run_cycle
from bounce_watch.sandbox.outcome import Limit, Outcome, Overrun
from bounce_watch.sandbox.reader import Reader
from bounce_watch.source.imap.source import ImapSource
from bounce_watch.store import tables
from tests.pipeline.conftest import Home, ndr
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.source.places import imap_settings
from tests.source.wrapping import attachment, journal, mixed, text, with_attachment
from tests.store.rows import reading

pytestmark = pytest.mark.servers

SAMPLES = Path(__file__).parents[1] / "samples"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


NEWS = with_attachment(sample("not_a_report/03-newsletter.eml"))
WORDED = with_attachment(sample("exchange_diagnostic/01-expired-two-lines.eml"))
"""A report in words: only its text says so."""
DECLARED = journal(with_attachment(ndr()))
SEALED = mixed(text(b"see"), attachment(b"application/vnd.ms-outlook", b"Undeliverable.msg"), attachment())


class Noting(Reader):
    """A reader that keeps what it was given, and fails by the clock on what holds a word."""

    def __init__(self, reader: Reader, word: bytes = b"\0", then: Callable[[], None] = lambda: None) -> None:
        self.given: list[bytes] = []
        self.then = then
        self._reader, self._word = reader, word

    def read(self, raw: bytes) -> Outcome:
        self.given.append(raw)
        self.then()
        if self._word in raw:
            return Overrun(limit=Limit.WALL, reason="it takes long")
        return self._reader.read(raw)

    def abort(self) -> None:
        self._reader.abort()

    def close(self) -> None:
        self._reader.close()


@contextmanager
def opened(dovecot: Dovecot, **wishes: Any) -> Iterator[ImapSource]:
    with ImapSource(imap_settings(dovecot, **wishes), lambda: PASSWORD) as source:
        yield source


def hashes(home: Home, kind: Kind) -> list[str | None]:
    with reading(home.context.store.location) as session:
        query = select(tables.Message.sha256).where(col(tables.Message.kind) == kind)
        return list(session.exec(query))


def digest(mail: bytes) -> str:
    return hashlib.sha256(mail).hexdigest()


def look(home: Home, dovecot: Dovecot, **wishes: Any) -> CycleResult:
    with opened(dovecot, **wishes) as source:
        return run_cycle(home.context, source, None)


def test_reports_and_what_is_kept_are_stored_from_all_their_bytes(home: Home, dovecot: Dovecot) -> None:
    """The results equal those of full downloads, and messages without a report are not downloaded."""
    dovecot.append([NEWS, WORDED, DECLARED, SEALED])
    result = look(home, dovecot)
    assert result.kinds == {Kind.NOT_A_REPORT: 1, Kind.FAILURE: 2, Kind.UNREADABLE: 1}
    assert hashes(home, Kind.FAILURE) == [digest(WORDED), digest(DECLARED)]
    assert digest(NEWS) not in hashes(home, Kind.NOT_A_REPORT)
    (kept,) = home.context.store.quarantine.list()
    assert home.context.store.quarantine.show(kept.id)[1] == SEALED
    assert dovecot.contents() == [NEWS]
    assert dovecot.contents(folder="Bounces/Filed") == [WORDED, DECLARED]
    assert dovecot.contents(folder="Bounces/Quarantine") == [SEALED]


def test_a_rehearsal_looks_before_it_downloads_too(home: Home, dovecot: Dovecot) -> None:
    """It reads the same and moves nothing."""
    dovecot.append([NEWS, WORDED])
    reader = Noting(home.context.reader)
    with opened(dovecot) as source:
        result = run_cycle(replace(home.context, reader=reader), untouched(source), None)
    assert result.kinds == {Kind.NOT_A_REPORT: 1, Kind.FAILURE: 1}
    assert [len(given) < len(NEWS) / 2 for given in reader.given] == [True, True, False]
    assert dovecot.contents() == [NEWS, WORDED]


def test_a_report_in_words_is_read_twice_and_news_once(home: Home, dovecot: Dovecot) -> None:
    """By its head, and then whole; what declares itself a report is fetched whole at once."""
    dovecot.append([NEWS, WORDED, DECLARED])
    reader = Noting(home.context.reader)
    with opened(dovecot) as source:
        run_cycle(replace(home.context, reader=reader), source, None)
    head, *whole = reader.given[1:]
    assert NEWS.startswith(reader.given[0])
    assert len(reader.given[0]) < len(NEWS) / 2
    assert WORDED.startswith(head)
    assert whole == [WORDED, DECLARED]


def test_a_head_that_cannot_be_read_in_time_is_quarantined_whole_after_three_looks(
    home: Home, dovecot: Dovecot
) -> None:
    """What is quarantined keeps its bytes, all of them."""
    dovecot.append([NEWS])
    context = replace(home.context, reader=Noting(home.context.reader, word=b"Subject"))
    for _ in range(3):
        with opened(dovecot) as source:
            result = run_cycle(context, source, None)
    assert result.quarantined == 1
    (kept,) = context.store.quarantine.list()
    assert context.store.quarantine.show(kept.id)[1] == NEWS


def test_a_mail_that_is_gone_behind_its_head_is_no_fault(home: Home, dovecot: Dovecot) -> None:
    """Another client deleted it before the download; the messages after it are read."""

    def take_away() -> None:
        with dovecot.sign_in(WATCHED) as client:
            client.select("INBOX")
            client.store("1", "+FLAGS", "(\\Deleted)")
            client.expunge()
        reader.then = lambda: None

    dovecot.append([WORDED, DECLARED])
    reader = Noting(home.context.reader, then=take_away)
    with opened(dovecot) as source:
        result = run_cycle(replace(home.context, reader=reader), source, None)
    assert result.kinds == {Kind.FAILURE: 1}
    assert hashes(home, Kind.FAILURE) == [digest(DECLARED)]
    assert look(home, dovecot).messages == 0


def test_a_journal_mailbox_costs_a_part_of_its_bytes(home: Home, dovecot: Dovecot) -> None:
    """One report in twenty mails; the server counts what it sends."""
    news = [journal(NEWS)] * 19
    dovecot.append([*news, DECLARED])
    assert look(home, dovecot).bounces == 1
    sent = max(
        int(line.rpartition("out=")[2].split()[0]) for line in dovecot.log().splitlines() if "out=" in line
    )
    assert sent < sum(map(len, (*news, DECLARED))) / 4
