"""Replies of programs, of strangers and of other colleagues do nothing, however often they come."""

import random
from collections import Counter

import pytest

from bounce_watch.model import NotAReport, Report
from bounce_watch.parse import read
from tests.pipeline.conftest import Home
from tests.pipeline.test_answers import LENA, SECURITY, alert, letter, mail_to, site
from tests.replies import Answered, reply
from tests.safety.answers import FORGERIES, automatic

__all__ = ["site"]
pytestmark = pytest.mark.slow

LETTER = Answered(
    message_id=f"<bw.{'1' * 16}.{'2' * 24}@larkfield.example>",
    references=f"<offer@larkfield.example> <bw.{'1' * 16}.{'2' * 24}@larkfield.example>",
    subject="Your email to ann@fabrikam.example wasn't delivered: the address doesn't exist",
    text=f"Your email didn't reach ann@fabrikam.example.\n\nReference: bw.{'1' * 16}.{'2' * 24}",
    to=LENA,
)


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.proof)])
def test_no_automatic_mail_is_taken_for_a_persons_reply(count: int) -> None:
    chance, heard = random.Random(20), []
    for number in range(count):
        raw = automatic(chance, LETTER, number)
        heard += [raw for one in read(raw) if isinstance(one, NotAReport | Report) and one.answer is not None]
    assert heard == []
    (person,) = read(reply(LETTER))
    assert isinstance(person, NotAReport | Report)
    assert person.answer is not None


@pytest.mark.parametrize("count", [50, pytest.param(500, marks=pytest.mark.proof)])
def test_forgeries_and_automatic_replies_change_nothing(site: Home, count: int) -> None:
    """Then the genuine replies still do what they ask for."""
    alert(site)
    letter(site)
    sent = [Answered.of(mail_to(site, address)) for address in (SECURITY, LENA)]
    before = _state(site)
    chance = random.Random(21)
    for number in range(count):
        forge = FORGERIES[number % len(FORGERIES)]
        site.deliver(forge(chance, chance.choice(sent), number), f"forged{number}")
        site.deliver(automatic(chance, chance.choice(sent), count + number), f"automatic{number}")
    site.look()
    assert _state(site) == before
    for number, answered in enumerate(sent):
        site.deliver(reply(answered, words="ack", number=10_000 + number), f"genuine{number}")
    site.look()
    assert Counter(kind for kind, _ in _state(site)[0]) - Counter(kind for kind, _ in before[0]) == {
        "question": 1,
        "confirmation": 1,
    }


def _state(home: Home) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    store = home.context.store
    return (
        [(str(one.kind), one.event_key) for one in store.outbox.list()],
        [(str(one.change), one.by, one.note) for one in store.incidents.show(1).changes],
    )
