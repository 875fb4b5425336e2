"""Several bounces, one answer: of one mail, or of one person within the time that an answer settles."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.pipeline.digest import gather
from tests.pipeline.conftest import Home, Refusal, ndr

pytestmark = pytest.mark.slow

LENA = "lena@larkfield.example"
FULL: Refusal = {"reply": "552 5.2.2 mailbox full", "status": "5.2.2"}


@pytest.fixture
def settling(open_home: Callable[..., Home]) -> Home:
    """A context whose answers settle for a minute."""
    return open_home(("settle_seconds = 0", "settle_seconds = 60"))


def to_lena(home: Home) -> list[bytes]:
    return [mail for mail in home.sent() if b"To: " + LENA.encode() in mail]


def texts(home: Home) -> str:
    written = home.context.store.outbox.list()
    return "\n".join(mail.preview for mail in written if mail.kind is LetterKind.REPLY)


def same_mail(raw: bytes, number: int) -> bytes:
    """Return a report of its own about the mail that another report is about."""
    return raw.replace(b"mail.%d@" % number, b"mail.1@")


def test_an_answer_leaves_when_it_has_settled_and_not_before(settling: Home) -> None:
    settling.deliver(ndr(), "1")
    assert settling.look().delivered.sent == 0
    settling.clock.now += timedelta(seconds=59)
    assert settling.look().delivered.sent == 0
    settling.clock.now += timedelta(seconds=1)
    assert settling.look().delivered.sent == 1
    assert len(to_lena(settling)) == 1


def test_three_reports_on_one_mail_give_one_answer_that_names_all_recipients(settling: Home) -> None:
    """Each remote server writes its own report; causes differ, the person reads one letter."""
    settling.deliver(ndr(LENA, "ann@fabrikam.example"), "1")
    settling.deliver(same_mail(ndr(LENA, "bob@fabrikam.example", number=2), 2), "2")
    settling.deliver(same_mail(ndr(LENA, "cem@partner.example", number=3, **FULL), 3), "3")
    result = settling.look()
    assert result.letters == 1
    assert [name for name in ("ann@", "bob@", "cem@") if name not in texts(settling)] == [], texts(settling)
    assert "Offer" in texts(settling)
    settling.clock.now += timedelta(minutes=2)
    assert settling.look().delivered.sent == 1
    settling.clock.now += timedelta(minutes=2)
    assert settling.look().delivered.sent == 0


def test_several_mails_of_one_person_are_listed_as_different_mails_with_their_own_steps(
    settling: Home,
) -> None:
    spf: Refusal = {"reply": "550 5.7.23 SPF violation", "status": "5.7.23"}
    settling.deliver(ndr(LENA, "ann@fabrikam.example", **spf).replace(b"Offer", b"Invoice"), "1")
    settling.deliver(ndr(LENA, "bob@partner.example", number=2), "2")
    settling.look()
    text = " ".join(settling.context.store.outbox.list()[0].preview.split())
    first, second = text.split("“Offer”")
    assert "“Invoice”" in first
    assert "ann@fabrikam.example" in first
    assert "bob@" not in first
    assert "bob@partner.example: the address doesn't exist" in second
    assert "Compare the address" in second
    assert "Other recipients" not in text
    settling.clock.now += timedelta(minutes=2)
    settling.look()
    assert len(to_lena(settling)) == 1


def test_recipients_of_one_mail_that_failed_for_other_causes_have_their_own_steps(settling: Home) -> None:
    settling.deliver(ndr(LENA, "ann@fabrikam.example", **FULL), "1")
    settling.deliver(same_mail(ndr(LENA, "bob@partner.example", number=2), 2), "2")
    settling.look()
    others = " ".join(texts(settling).split()).partition("Other recipients")[2]
    assert "ann@fabrikam.example" in others or "bob@partner.example" in others
    assert "1. " in others


def test_an_earlier_bounce_counts_for_its_own_recipient_only(settling: Home) -> None:
    settling.deliver(ndr(LENA, "ann@fabrikam.example"), "1")
    settling.look()
    settling.clock.now += timedelta(days=8)
    for number in (2, 3):
        to = "bob@partner.example" if number == 2 else "ann@fabrikam.example"
        settling.deliver(ndr(LENA, to, number=number, at=settling.clock.now), str(number))
    settling.look()
    replies = [mail for mail in settling.context.store.outbox.list() if mail.kind is LetterKind.REPLY]
    text = " ".join(replies[0].preview.split())
    about_bob, about_ann = text.split("didn't reach ")[1:]
    assert "An earlier email to this address" not in about_bob
    assert "An earlier email to this address" in about_ann


def test_two_people_get_an_answer_each(settling: Home) -> None:
    settling.deliver(ndr(LENA, "ann@fabrikam.example"), "1")
    settling.deliver(ndr("omar@larkfield.example", "ann@fabrikam.example", number=2), "2")
    assert settling.look().letters == 2


def test_an_answer_that_was_tried_is_never_rewritten(settling: Home) -> None:
    """Its bytes are frozen: a second attempt must be the same mail."""
    settling.deliver(ndr(LENA, "ann@fabrikam.example"), "1")
    settling.look()
    store = settling.context.store
    (entry,) = store.outbox.list()
    due = settling.clock.now + timedelta(minutes=2)
    assert store.claim(entry.id, "me", due) is not None
    store.finish(entry.id, "later", "421", due)
    before = store.outbox.show(entry.id)[1]
    settling.clock.now = due
    settling.deliver(ndr(LENA, "bob@partner.example", number=2, **FULL), "2")
    settling.look()
    assert store.outbox.show(entry.id)[1] == before


def test_the_same_report_again_joins_nothing(settling: Home) -> None:
    settling.deliver(ndr(), "1")
    settling.deliver(ndr(), "2")
    assert settling.look().duplicates == 1
    assert len(settling.context.store.outbox.list()) == 1


def test_a_forged_report_joins_no_answer(settling: Home) -> None:
    settling.deliver(ndr(LENA, "ann@fabrikam.example"), "1")
    settling.deliver(ndr(LENA, "evil@partner.example", number=2, authority="Anonymous"), "2")
    settling.look()
    assert "evil@partner.example" not in texts(settling)


def test_in_preview_bounces_join_the_held_answer(open_home: Callable[..., Home]) -> None:
    home = open_home(("settle_seconds = 0", "settle_seconds = 60"), ('mode = "on"', 'mode = "preview"'))
    home.deliver(ndr(LENA, "ann@fabrikam.example"), "1")
    home.deliver(ndr(LENA, "bob@partner.example", number=2, **FULL), "2")
    home.look()
    (entry,) = home.context.store.outbox.list()
    assert entry.state is OutboxState.HELD
    assert "ann@" in entry.preview
    assert "bob@" in entry.preview


def test_a_letter_names_at_most_ten_mails(settling: Home) -> None:
    for number in range(1, 16):
        settling.deliver(ndr(LENA, f"r{number}@firm{number}.example", number=number), f"{number:03d}")
    settling.look()
    (entry,) = [mail for mail in settling.context.store.outbox.list() if mail.kind is LetterKind.REPLY]
    withheld = gather(settling.config, settling.context.store, settling.clock.now).withheld
    assert {count.label: count.now for count in withheld} == {"same_letter": 9, "recently_told": 5}
    assert "r10@firm10.example" in entry.preview
    assert "r11@firm11.example" not in entry.preview
