"""Which questions a bounce asks, and about whose names only."""

import pytest

from bounce_watch.dns.questions import Ask, ask_for, is_proven
from bounce_watch.model import Action, Bounce, Cause, Details, OriginalMessage, Owner, Persistence, Side
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question
from tests.store.values import NOW

OURS = frozenset({"contoso.example"})
HEADERS = (
    "Received: from EUR05-DB8-obe.outbound.protection.outlook.com\r\n"
    " (mail-db8.outbound.protection.outlook.com. [40.107.20.77])\r\n by mx.fabrikam.example;\r\n"
    "Received: from DB9PR07.prod.outlook.com (2603:10a6:10::7) by DB9PR07.prod.outlook.com; now\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; d=contoso.example; s=Selector2;\r\n h=From:Date; bh=xx=; b=yy==\r\n"
)
RETURNED = OriginalMessage(sender="anna@contoso.example", signed_headers=HEADERS)


def bounce(cause: Cause, details: Details | None = None, **more: str) -> Bounce:
    return Bounce(
        recipient=more.get("recipient", "tom@fabrikam.example"),
        sender=more.get("sender", "anna@contoso.example"),
        action=Action.FAILED,
        status="5.7.1",
        reply_code="550",
        cause=cause,
        persistence=Persistence.PERMANENT,
        owner=Owner.MAIL_ADMIN,
        side=Side.THEIRS,
        details=details,
    )


def test_address_and_selector_are_those_of_the_returned_message() -> None:
    """The hop inside Exchange Online has an address that no SPF record names."""
    ask = ask_for(bounce(Cause.AUTHENTICATION_FAILED), RETURNED, OURS)
    assert ask == Ask(
        questions=(Question.SPF, Question.DKIM, Question.DMARC),
        subject="contoso.example",
        address="40.107.20.77",
        selector="selector2",
        signed_by="contoso.example",
    )


def test_the_address_in_the_refusal_comes_first() -> None:
    ask = ask_for(bounce(Cause.SPF_FAILED, Details(spf_ip="192.0.2.7")), RETURNED, OURS)
    assert ask is not None
    assert ask.address == "192.0.2.7"


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        pytest.param(bounce(Cause.MAILBOX_FULL), None, id="another cause"),
        pytest.param(bounce(Cause.SPF_FAILED, sender="x@evil.example"), None, id="another sender"),
        pytest.param(
            bounce(Cause.SPF_FAILED, Details(spf_domain="evil.example")),
            "contoso.example",
            id="named by others",
        ),
        pytest.param(
            bounce(Cause.SPF_FAILED, Details(spf_domain="news.contoso.example")),
            "news.contoso.example",
            id="below ours",
        ),
        pytest.param(
            bounce(Cause.SPF_FAILED, sender="x@evilcontoso.example"), None, id="only ends like ours"
        ),
        pytest.param(bounce(Cause.DOMAIN_NOT_FOUND), "fabrikam.example", id="recipient's domain"),
        pytest.param(bounce(Cause.DOMAIN_NOT_FOUND, recipient="x@127.0.0.1"), None, id="an address literal"),
        pytest.param(bounce(Cause.DOMAIN_NOT_FOUND, recipient="x@a b.example"), None, id="no host name"),
        pytest.param(
            bounce(Cause.DOMAIN_NOT_FOUND, recipient="x@contoso.example"), None, id="our own domain"
        ),
        pytest.param(bounce(Cause.MISSING_REVERSE_DNS), "40.107.20.77", id="address that sent"),
        pytest.param(
            bounce(Cause.BLOCKED_REPUTATION, Details(blocked_ip="192.0.2.9")),
            "192.0.2.9",
            id="blocked address",
        ),
    ],
)
def test_only_names_of_ours_and_of_the_recipient_are_asked(asked: Bounce, subject: str | None) -> None:
    ask = ask_for(asked, RETURNED, OURS)
    assert (ask.subject if ask else None) == subject


def finding(question: Question, verdict: DnsVerdict, *, proves: bool) -> DnsFinding:
    return DnsFinding(
        question=question,
        subject="contoso.example",
        name="x",
        verdict=verdict,
        record=None,
        why="",
        asked_at=NOW,
        proves=proves,
    )


def test_one_sound_key_is_enough_and_no_answer_proves_nothing() -> None:
    lost = finding(Question.DKIM, DnsVerdict.ABSENT, proves=True)
    sound = finding(Question.DKIM, DnsVerdict.OK, proves=False)
    unasked = finding(Question.DKIM, DnsVerdict.UNASKED, proves=False)
    weak = finding(Question.SPF, DnsVerdict.FAULT, proves=False)
    assert is_proven([lost, lost])
    assert not is_proven([lost, sound])
    assert not is_proven([lost, unasked])
    assert not is_proven([weak])
    assert not is_proven([])
