"""The copies of one report, in whatever order they come: one incident, and one letter."""

from collections.abc import Callable
from email import message_from_bytes
from itertools import permutations

import pytest

from bounce_watch.model import Evidence
from tests.pipeline.conftest import Home, Refusal, ndr
from tests.pipeline.test_members import forwarded

pytestmark = pytest.mark.slow

MARK = b"X-MS-Exchange-Organization-AuthAs: Internal\r\n"
BLOCKED = Refusal(reply="550 5.1.8 Access denied, bad outbound sender AS(42004)", status="5.1.8", remote=None)
MANY = (
    ("settle_seconds = 0", "settle_seconds = 0\nper_minute = 999\nper_hour = 999"),
    (
        "[digest]",
        "[alerts]\nper_hour = 999\n[digest]",
    ),
)


def sender(number: int) -> str:
    return f"user{number}@larkfield.example"


def marked(number: int) -> bytes:
    return ndr(sender(number), f"x@partner{number}.example", number=number, **BLOCKED)


def journaled(number: int) -> bytes:
    head = (
        "From: <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@larkfield.example>",
        "To: bounces@larkfield.example",
        "X-MS-Journal-Report:",
        MARK.decode().strip(),
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=j",
        "",
        "--j",
        "Content-Type: text/plain",
        "",
        "Sender: <>",
        f"To: {sender(number)}",
        "",
        "--j",
        "Content-Type: message/rfc822",
        "",
        "",
    )
    return "\r\n".join(head).encode() + marked(number) + b"\r\n--j--\r\n"


COPIES: dict[str, Callable[[int], bytes]] = {
    "unmarked": lambda number: marked(number).replace(MARK, b""),
    "marked": marked,
    "journaled": journaled,
    "forwarded": lambda number: forwarded(sender(number), marked(number)),
}
ORDERS = list(permutations(COPIES))


@pytest.mark.parametrize(
    "apart",
    [pytest.param(True, id="one a look"), pytest.param(False, id="all at once", marks=pytest.mark.proof)],
)
def test_any_order_of_copies_gives_the_same_incident_and_the_same_one_letter(
    open_home: Callable[..., Home], apart: bool
) -> None:
    """Each order of the four copies is about another account."""
    home = open_home(*MANY)
    for place in range(len(COPIES)):
        for number, order in enumerate(ORDERS):
            home.deliver(COPIES[order[place]](number), f"{place}.{number:02}.mail")
        if apart:
            home.look()
    home.look()
    incidents = home.context.store.incidents.list()
    letters = [message_from_bytes(content) for content in home.sent()]
    written_to = sorted(str(letter["To"]) for letter in letters if "security" not in str(letter["To"]))
    print(f"{len(ORDERS)} orders: {len(incidents)} incidents, {len(written_to)} letters")
    assert sorted(one.finding.key for one in incidents) == sorted(map(sender, range(len(ORDERS))))
    assert {(one.finding.messages, one.finding.confirmed, one.finding.severity) for one in incidents} == {
        (1, True, "critical")
    }
    assert written_to == sorted(map(sender, range(len(ORDERS))))
    assert {row.bounce.evidence for row in home.context.store.history.find(limit=999)} == {Evidence.INTERNAL}
    assert len(letters) - len(written_to) == len(ORDERS)


@pytest.mark.parametrize("order", [("unmarked", "forwarded"), ("forwarded", "unmarked")], ids="-".join)
def test_a_copy_by_rule_does_not_keep_a_colleague_from_an_answer(home: Home, order: tuple[str, str]) -> None:
    """What only the colleague's forward proves stays their own word."""
    for copy in order:
        home.deliver(COPIES[copy](1), f"{copy}.mail")
        home.look()
    (incident,) = home.context.store.incidents.list()
    assert incident.finding.confirmed is False
    assert len([one for one in home.sent() if b"To: user1@" in one]) == 1


def test_a_stronger_copy_says_what_the_weaker_one_said_differently(home: Home) -> None:
    """The unmarked copy names a remote server as the speaker; the fingerprint does not hold its name."""
    mail = COPIES["unmarked"](1)
    home.deliver(
        mail.replace(b"Action: failed", b"Action: failed\r\nRemote-MTA: dns;mx.evil.example"), "1.mail"
    )
    assert home.look().opened == []
    home.deliver(marked(1), "2.mail")
    result = home.look()
    assert (result.opened, result.letters, result.duplicates, result.bounces) == ([1], 1, 1, 0)
    (row,) = home.context.store.history.find()
    assert (row.bounce.remote_mta, row.bounce.evidence) == (None, Evidence.INTERNAL)
    home.deliver(mail, "3.mail")
    assert home.look().letters == 0
    (row,) = home.context.store.history.find()
    assert row.bounce.evidence is Evidence.INTERNAL
