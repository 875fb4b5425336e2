"""Messages that are stored in one transaction leave the same rows as messages that came one by one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlmodel import SQLModel

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline.ingest.message import ingest_messages
from bounce_watch.pipeline.result import IngestedMessage
from bounce_watch.source.interface import Message
from tests.pipeline.conftest import START, Home, Refusal, ndr
from tests.servers.kept import FILE
from tests.store.rows import reading

ANSWERS = ("settle_seconds = 0", "settle_seconds = 60")
SPF: Refusal = {
    "reply": "550 5.7.23 The message was rejected because of Sender Policy Framework violation",
    "status": "5.7.23",
}
BLOCKED: Refusal = {
    "reply": "550 5.1.8 Access denied, bad outbound sender",
    "status": "5.1.8",
    "remote": None,
}
FULL: Refusal = {"reply": "552 5.2.2 The email account is over quota", "status": "5.2.2"}


def mails() -> Iterator[bytes]:
    """Yield reports that open incidents, feed them, repeat one another and teach each other addresses."""
    for number in range(1, 13):  # one account writes to unknown addresses everywhere
        to = f"nobody{number}@partner{number}.example"
        yield ndr(recipient=to, number=number, at=START - timedelta(minutes=40 - number))
        if number % 4 == 0:
            yield ndr(recipient=to, number=number, at=START - timedelta(minutes=40 - number))
    for number in range(20, 25):  # several of us fail SPF
        yield ndr(f"p{number}@larkfield.example", f"desk@shop{number}.example", number=number, **SPF)
    for number in range(30, 34):  # an address that exists, then slips of it
        yield ndr("tom@larkfield.example", "nadja@fabrikam.example", number=number, **FULL)
        yield ndr("tom@larkfield.example", f"nadj{number}@fabrikam.example", number=number + 100)
    for number in range(40, 46):  # sent again and again
        yield ndr("ida@larkfield.example", "gone@fabrikam.example", number=number)
    yield ndr("mallory@larkfield.example", number=49, **BLOCKED)
    yield ndr("eve@larkfield.example", number=50, authority="Anonymous")
    yield b"From: news@shop.example\r\nSubject: Sale\r\n\r\nBuy now.\r\n"


def messages() -> list[Message]:
    """Return them as they lie in a mailbox, some early and some late."""
    raw = list(mails())
    Random(3).shuffle(raw)
    return [
        Message(
            location=MessageLocation(mailbox="INBOX", validity=1, uid=str(uid)),
            raw=content,
            size=len(content),
            received_at=START - timedelta(seconds=uid),
        )
        for uid, content in enumerate(raw, 1)
    ]


def rows(home: Home) -> dict[str, list[Any]]:
    """Return every row of every table, but for what is told of the store itself."""
    with reading(home.context.store.location) as session:
        return {
            table.name: sorted(session.connection().execute(table.select()).all(), key=repr)
            for table in SQLModel.metadata.sorted_tables
            if table.name != "meta"
        }


@pytest.fixture
def another(request: pytest.FixtureRequest, open_home: Callable[..., Home]) -> Callable[..., Home]:
    """Homes of the same secret with nothing in them; each ends what the one before held."""
    names = iter(range(10))

    def build(*changes: tuple[str, str]) -> Home:
        if request.config.getoption("store") == "sqlite":
            changes = (*changes, (FILE, f'path = "{next(names)}.db"'))
        else:
            request.getfixturevalue("stores").empty()
        home = open_home(*changes)
        return replace(home, context=replace(home.context, secret=b"one secret"))

    return build


@pytest.mark.slow
@pytest.mark.parametrize(("settle", "size"), [(ANSWERS[0], 7), (ANSWERS[1], 1_000)])
def test_a_group_leaves_the_rows_that_its_messages_leave_one_by_one(
    another: Callable[..., Home], settle: str, size: int
) -> None:
    """Incidents open in the middle of a group, and no report knows of those behind it."""
    found: list[tuple[list[IngestedMessage], dict[str, list[Any]]]] = []
    for most in (1, size):
        home, taken = another((ANSWERS[0], settle)), list[IngestedMessage]()
        coming = [(message, home.context.reader.read(message.raw)) for message in messages()]
        for start in range(0, len(coming), most):
            taken += ingest_messages(home.context, coming[start : start + most])
        found.append((taken, rows(home)))
    alone, together = found
    assert together == alone
    taken, held = alone
    assert len(held["bounce"]) > 30
    assert sum(len(intake.opened) for intake in taken) >= 3
    assert {intake.duplicates for intake in taken} == {0, 1}
    assert len(held["outgoing"]) > 5
    assert len({row.reason for row in held["withheld"]}) > 1
