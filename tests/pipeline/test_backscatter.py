"""A genuine report about a message that somebody else sent in our name: no letter, no incident, a count."""

from collections.abc import Callable

import pytest

from bounce_watch.model import Evidence
from tests.pipeline.conftest import Home, ndr
from tests.pipeline.test_members import forwarded

pytestmark = pytest.mark.slow

STAMP = b"X-MS-Exchange-Organization-AuthAs: "
RESULTS = b"Authentication-Results: "
FAILED = RESULTS + b"spf=fail smtp.mailfrom=larkfield.example; dkim=none; dmarc=fail action=none"
PASSED = RESULTS + b"spf=pass smtp.mailfrom=larkfield.example; dkim=pass; dmarc=pass action=none"
HIDDEN = RESULTS + b"spf=fail smtp.mailfrom=dmarc=pass; dmarc=fail"


def returned(*lines: bytes, report: bytes | None = None) -> bytes:
    """Return a genuine report whose returned headers hold these lines."""
    mail, author = report or ndr(), b"\r\nFrom: lena@larkfield.example"
    assert mail.count(author) == 1
    return mail.replace(author, b"".join(b"\r\n" + line for line in lines) + author)


NOT_OURS = {
    "anonymous, and every check failed": (STAMP + b"Anonymous", FAILED),
    "anonymous, nothing was checked": (STAMP + b"Anonymous",),
    "anonymous beside a mark of its own": (STAMP + b"Internal", STAMP + b"Anonymous", FAILED),
    "anonymous, with a pass in an address": (STAMP + b"Anonymous", HIDDEN),
    "anonymous, with a pass below the failure": (STAMP + b"Anonymous", FAILED, PASSED),
}
OURS = {
    "signed in": (STAMP + b"Internal", FAILED),
    "a service that our domain authorizes": (STAMP + b"Anonymous", PASSED),
    "no stamp returned": (FAILED,),
    "nothing returned": (),
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_nobody_is_written_to_about_a_message_that_was_forged_in_our_name(home: Home, name: str) -> None:
    home.deliver(returned(*NOT_OURS[name]), "1.mail")
    result = home.look()
    assert (result.letters, result.withheld, result.opened, home.sent()) == (0, 1, [], [])
    (row,) = home.context.store.history.find()
    assert row.bounce.evidence is Evidence.UNVERIFIED
    digest = home.context.store.digests.count(home.clock.now.date(), "UTC", home.clock.now)
    assert [(count.label, count.now) for count in digest.withheld] == [("backscatter", 1)]
    text = home.context.composer.digest(digest, event_key="x", to="mailadmin@larkfield.example").text
    assert "backscatter" in text


@pytest.mark.parametrize("name", OURS)
def test_what_we_sent_is_answered(home: Home, name: str) -> None:
    home.deliver(returned(*OURS[name]), "1.mail")
    assert (home.look().letters, len(home.sent())) == (1, 1)


def test_a_colleague_who_forwards_such_a_report_is_not_told_of_a_mail_either(home: Home) -> None:
    report = returned(STAMP + b"Anonymous", FAILED)
    home.deliver(forwarded("lena@larkfield.example", report), "1.mail")
    assert (home.look().letters, home.sent()) == (0, [])


def test_forged_messages_move_no_threshold(open_home: Callable[..., Home]) -> None:
    """A spammer in Lena's name at fourteen domains is no takeover of her account."""
    home = open_home()
    for number in range(14):
        report = ndr(recipient=f"x@partner{number}.example", number=number)
        home.deliver(returned(STAMP + b"Anonymous", FAILED, report=report), f"{number}.mail")
    assert home.look().opened == []
