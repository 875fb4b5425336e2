"""A poll lists what is new and overlooks nothing that is old."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline import CycleResult, run_cycle
from bounce_watch.pipeline import check_mailbox as look_at
from bounce_watch.pipeline.filing import RETRY_AFTER
from bounce_watch.sandbox.outcome import Limit, Outcome, Overrun
from bounce_watch.sandbox.reader import Reader
from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.source import ImapSource
from bounce_watch.store import MessageState
from bounce_watch.store.database.workers import PostgresWorker
from tests.pipeline.conftest import Home, ndr
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.servers.kept import FILE
from tests.servers.scripted_imap import ScriptedImap
from tests.servers.stores import Stores
from tests.source import samples
from tests.source.odd_mailbox import OddMailbox
from tests.source.places import imap_settings
from tests.store.committed import committed

pytestmark = pytest.mark.servers

LATER = b"Subject: news\r\n\r\nnothing returned\r\n"


@pytest.fixture
def look(home: Home, dovecot: Dovecot) -> Callable[..., CycleResult]:
    """Return a function that looks once over a connection of its own."""

    def once(**wishes: Any) -> CycleResult:
        with opened(dovecot, **wishes) as source:
            return run_cycle(home.context, source, None)

    return once


@contextmanager
def opened(dovecot: Dovecot, **wishes: Any) -> Iterator[ImapSource]:
    with ImapSource(imap_settings(dovecot, **wishes), lambda: PASSWORD) as source:
        yield source


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that fills with the UIDs that are fetched."""
    uids: list[str] = []
    fetch = Connection.fetch

    def noting(connection: Connection, wanted: str, items: str, **wishes: Any) -> Any:
        uids.append(wanted)
        return fetch(connection, wanted, items, **wishes)

    monkeypatch.setattr(Connection, "fetch", noting)
    return uids


def test_mail_that_stays_is_not_listed_again(home: Home, dovecot: Dovecot, asked: list[str]) -> None:
    """Only the last fifty, in which a server may show something late."""
    dovecot.append([samples.NEWSLETTER] * 60)
    with opened(dovecot) as source:
        assert run_cycle(home.context, source, None).left == 60
        asked.clear()
        assert run_cycle(home.context, source, None).messages == 0
        assert asked == ["11:60"]
        dovecot.append([ndr()])
        assert run_cycle(home.context, source, None).bounces == 1
    assert len(dovecot.contents(folder="Bounces/Filed")) == 1


def test_the_whole_folder_is_walked_at_the_first_look_of_a_run_and_once_a_day(
    home: Home, dovecot: Dovecot, asked: list[str]
) -> None:
    """Messages that an earlier walk overlooked are found then."""
    dovecot.append([samples.NEWSLETTER] * 60)
    with opened(dovecot) as source:
        run_cycle(home.context, source, None)
        asked.clear()
        home.clock.now += timedelta(hours=23)
        run_cycle(home.context, source, None)
        assert asked == ["11:60"]
        home.clock.now += timedelta(hours=1)
        run_cycle(home.context, source, None)
        assert asked == ["11:60"] * 2 + ["1:60"]
        home.clock.now += timedelta(seconds=1)
        committed(home.context.store).state.start_run(home.clock())
        run_cycle(home.context, source, None)
        run_cycle(home.context, source, None)
        assert asked == ["11:60"] * 2 + ["1:60", "11:60", "1:60"] + ["11:60"]


def test_a_large_folder_is_walked_in_portions_and_new_mail_does_not_wait_for_the_last(
    home: Home, dovecot: Dovecot, asked: list[str]
) -> None:
    """However short a portion is, it gets on; what was overlooked before is found in one of them."""
    dovecot.append([ndr(), *[samples.NEWSLETTER] * 60])
    with opened(dovecot, window=20) as source:
        run_cycle(home.context, source, None)
        home.clock.now += timedelta(days=1)
        asked.clear()
        found, halfway = CycleResult(), []
        for number in (2, 3, 4, 5):
            halfway.append(look_at(home.context, source, found, portion=0.0))
            assert found.bounces == number - 2
            dovecot.append([ndr(number=number)])
    assert halfway == [True, True, True, False]
    spans = [uids.split(":") for uids in asked if ":" in uids]
    listed = {uid for first, last in spans for uid in range(int(first), int(last) + 1)}
    assert listed >= set(range(1, 65))


def test_what_came_while_the_uids_changed_their_meaning_is_found(
    home: Home, dovecot: Dovecot, look: Callable[..., CycleResult]
) -> None:
    """All is read again under the new UIDVALIDITY; what was told is told once."""
    dovecot.append([samples.NEWSLETTER, ndr(), ndr(number=2)])
    assert look(filed_folder="INBOX").bounces == 2
    dovecot.forget_uids(WATCHED)
    dovecot.append([ndr(number=3)])
    result = look()
    assert (result.bounces, result.duplicates) == (1, 2)
    cursor = home.context.store.mailboxes.cursor(f"imap://{WATCHED}@localhost/INBOX")
    assert cursor is not None
    assert cursor.uid == "4"


def test_a_server_that_numbers_its_folder_anew_each_time_adds_nothing(home: Home) -> None:
    """Each poll stored every message that stays in the folder once more, for ever."""

    def read(uids: list[int], items: str) -> bytes | None:
        one = b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%s)\r\n"
        found = b"".join(one % (uid, uid, len(LATER) + 1, LATER + b"%d" % uid) for uid in uids)
        return found + b"@ OK done\r\n" if "BODY" in items else None

    mailbox, validities = OddMailbox(2, read), itertools.count(7)

    def select(_: str) -> bytes:
        return mailbox.opened(next(validities))

    with ScriptedImap(mailbox.script(SELECT=select)) as server:
        account = {"host": "127.0.0.1", "port": server.port, "security": "none", "user": "b@contoso.example"}
        source = ImapSource(ImapSettings.model_validate(account), lambda: "pa55word")
        found = []
        for _ in range(3):
            with source:
                found.append(run_cycle(home.context, source, None).messages)
            mailbox.uids.append(len(mailbox.uids) + 1)
    assert found == [2, 1, 1]
    assert home.context.store.messages.newest() == 4, "one row a message"


def test_a_move_that_failed_is_done_later(home: Home, dovecot: Dovecot) -> None:
    """The folder could not be made; rows and cursor tell what is left to do."""
    dovecot.append([samples.NEWSLETTER])
    names = (".Bounces.Filed", ".INBOX.Bounces.Filed")
    in_the_way = [dovecot.root / "mail" / "bounces" / name for name in names]
    with opened(dovecot) as source:
        run_cycle(home.context, source, None)
        dovecot.append([ndr()])
        for file in in_the_way:
            file.write_text("no folder")
        assert run_cycle(home.context, source, None).bounces == 1
        assert len(home.context.store.messages.unfiled(source.name)) == 1
        for file in in_the_way:
            file.unlink()
        home.clock.now += RETRY_AFTER
        run_cycle(home.context, source, None)
        assert home.context.store.messages.unfiled(source.name) == ()
    assert len(dovecot.contents(folder="Bounces/Filed")) == 1


class FailsTwice(Reader):
    """A reader that is overrun twice, as by a machine that was very busy."""

    def __init__(self, reader: Reader) -> None:
        self.failures = 0
        self._reader = reader

    def read(self, raw: bytes) -> Outcome:
        if self.failures < 2 and b"Undeliverable" in raw:
            self.failures += 1
            return Overrun(limit=Limit.WALL, reason="it takes long")
        return self._reader.read(raw)

    def abort(self) -> None:
        self._reader.abort()

    def close(self) -> None:
        self._reader.close()


def test_what_could_not_be_read_is_tried_at_the_next_look_however_much_came_after(
    home: Home, dovecot: Dovecot
) -> None:
    """The cursor stays before it until it is read or quarantined."""
    context = replace(home.context, reader=FailsTwice(home.context.reader))
    dovecot.append([samples.NEWSLETTER, ndr(), *[LATER] * 60])
    with opened(dovecot) as source:
        for uid in ("1", "1", "62"):
            result = run_cycle(context, source, None)
            cursor = context.store.mailboxes.cursor(source.name)
            assert cursor is not None
            assert cursor.uid == uid
        assert result.bounces == 1
    assert cursor is not None
    assert context.store.messages.states_at(source.name, cursor.validity, ["2"]) == {"2": MessageState.FILED}


def test_a_message_that_a_person_moves_back_is_read_and_filed_again(
    dovecot: Dovecot, look: Callable[..., CycleResult]
) -> None:
    """It gets a new UID, and no reply is sent twice."""
    dovecot.append([samples.NEWSLETTER, ndr()])
    assert look().bounces == 1
    with dovecot.sign_in() as client:
        client.select('"Bounces/Filed"')
        client.uid("MOVE", "1", "INBOX")
    result = look()
    assert (result.bounces, result.duplicates) == (0, 1)
    assert len(dovecot.contents()) == 1


@pytest.fixture
def at_server(open_home: Callable[..., Home], stores: Stores) -> Iterator[tuple[Home, PostgresWorker]]:
    """A home that shares its store at a server, and another watcher there."""
    server = stores.empty()
    home = open_home((FILE, f'url = "{stores.postgres.url(server.url.database or "")}"'))
    with PostgresWorker(server) as worker, PostgresWorker(server) as other:
        home.context.store.worker = worker
        yield home, other


def test_what_another_watcher_has_in_hand_holds_the_cursor_back_until_it_is_done(
    at_server: tuple[Home, PostgresWorker], dovecot: Dovecot, asked: list[str]
) -> None:
    """It dies with a report in hand, and mail came after it: the report is found by a look at what is new."""
    home, other = at_server
    dovecot.append([samples.NEWSLETTER] * 60)
    with opened(dovecot) as source:
        run_cycle(home.context, source, None)
        dovecot.append([ndr(), *[samples.NEWSLETTER] * 60])
        cursor = home.context.store.mailboxes.cursor(source.name)
        assert cursor is not None
        assert other.claim([MessageLocation(mailbox=source.name, validity=cursor.validity, uid="61")])
        asked.clear()
        for _ in range(2):
            assert run_cycle(home.context, source, None).bounces == 0
        other.release()
        assert run_cycle(home.context, source, None).bounces == 1
        run_cycle(home.context, source, None)
        spans = [span for span in asked if ":" in span]
        assert spans == ["11:121", "11:121", "11:121", "72:121"]


def test_the_cursor_of_one_watcher_is_good_for_the_other(
    at_server: tuple[Home, PostgresWorker], dovecot: Dovecot, asked: list[str]
) -> None:
    home, other = at_server
    dovecot.append([samples.NEWSLETTER] * 60)
    with opened(dovecot) as source:
        run_cycle(home.context, source, None)
    home.context.store.worker.release()
    home.context.store.worker = other
    with opened(dovecot) as source:
        asked.clear()
        run_cycle(home.context, source, None)
        assert asked == ["11:60"]
