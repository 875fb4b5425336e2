"""How firmly a cause is known: told by words, likely by the usual meaning of a code, or not told."""

import pytest

from bounce_watch.model import Action, Cause, Certainty, Owner
from tests.classify.reports import refused, refused_by_us

TOLD, LIKELY, NOT_TOLD = Certainty.TOLD, Certainty.LIKELY, Certainty.NOT_TOLD


@pytest.mark.parametrize(
    ("text", "certainty"),
    [
        pytest.param("550 5.1.1 User unknown", TOLD, id="clear words"),
        pytest.param("550 Postfach existiert nicht", TOLD, id="clear words of another language"),
        pytest.param("552 5.2.2 refused", TOLD, id="a code with one meaning"),
        pytest.param("550 5.1.1 refused", LIKELY, id="the usual meaning of a code"),
        pytest.param("550 refused", NOT_TOLD, id="a bare 550"),
        pytest.param("554 Transaction failed", NOT_TOLD, id="a bare 554"),
        pytest.param("550 5.7.1 refused", NOT_TOLD, id="a bare 5.7.1"),
        pytest.param("550 5.7.0 refused", NOT_TOLD, id="a bare x.7.x"),
        pytest.param("hm", NOT_TOLD, id="nothing known"),
    ],
)
def test_the_certainty_follows_what_the_server_said(text: str, certainty: Certainty) -> None:
    assert refused(text).certainty is certainty


@pytest.mark.parametrize("code", ["550", "554", "550 5.7.1", "554 5.7.0", "550 5.0.0", "550 5.2.1"])
def test_a_bare_code_tells_no_cause_but_names_its_usual_meaning(code: str) -> None:
    bounce = refused(f"{code} refused")
    assert (bounce.cause, bounce.owner, bounce.certainty) == (Cause.UNKNOWN, Owner.MAIL_ADMIN, NOT_TOLD)
    assert "gave no clear reason; its code usually means" in (bounce.why or "")
    assert bounce.entry


def test_our_own_exchange_means_the_usual_meaning_of_its_code() -> None:
    """Exchange Online uses 5.7.1 without words for what its page says, but it does not tell more."""
    bounce = refused_by_us("550 5.7.1 refused")
    assert (bounce.cause, bounce.certainty) == (Cause.NOT_AUTHORISED, NOT_TOLD)


def test_where_nothing_failed_there_is_no_certainty() -> None:
    assert refused("250 2.1.5 delivered", action=Action.DELIVERED).certainty is None
