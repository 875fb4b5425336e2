"""A report becomes bounces: one for each recipient, with everything that is stored of it."""

from dataclasses import replace

import pytest

from bounce_watch.classify import judge
from bounce_watch.model import Action, Cause, Kind, OriginalMessage, Owner, Persistence
from bounce_watch.model.exchange_address import decode_imceaex
from tests.classify.reports import ARRIVED_AT, CATALOGUE, SENT_AT, SITE, fields, refused, report

IMCEAEX = (
    "IMCEAEX-_O=CONTOSO_OU=EXCHANGE+20ADMINISTRATIVE+20GROUP+20+28FYDIBOHF23SPDLT+29"
    "_CN=RECIPIENTS_CN=BOB+5FSMITH@contoso.example"
)


def test_each_recipient_gives_a_bounce_and_entries_without_address_none() -> None:
    """A mixed report is judged recipient by recipient, in its own order."""
    mixed = report(
        fields("550 5.1.1 no such user", final_recipient="a@partner.example"),
        fields("550 5.2.2 mailbox full", final_recipient=None),
        fields("550 5.2.2 mailbox full", final_recipient="b@partner.example"),
    )
    found = [(bounce.recipient, bounce.cause) for bounce in judge(mixed, CATALOGUE, SITE)]
    assert found == [
        ("a@partner.example", Cause.RECIPIENT_UNKNOWN),
        ("b@partner.example", Cause.MAILBOX_FULL),
    ]


def test_a_report_without_recipients_gives_no_bounce() -> None:
    assert judge(report(), CATALOGUE, SITE) == ()


def test_the_original_recipient_stands_in_for_a_missing_final_one() -> None:
    bounce = judge(
        report(fields(final_recipient=None, original_recipient="Bob@Partner.Example")), CATALOGUE, SITE
    )
    assert bounce[0].recipient == "Bob@partner.example"


def test_addresses_are_lower_cased_in_the_domain_only() -> None:
    bounce = refused(final_recipient="Bob@Partner.Example", original_recipient="B.Ob@Partner.Example")
    assert (bounce.recipient, bounce.original_recipient) == ("Bob@partner.example", "B.Ob@partner.example")
    assert bounce.sender == "Anna.Berg@contoso.example"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, ARRIVED_AT, id="arrival date"),
        pytest.param({"arrival_date": None, "date": ARRIVED_AT}, ARRIVED_AT, id="the report's own date"),
        pytest.param({"arrival_date": None, "date": None}, SENT_AT, id="the original's date"),
        pytest.param({"arrival_date": None, "date": None, "original": OriginalMessage()}, None, id="none"),
    ],
)
def test_a_bounce_occurred_when_the_report_says(changes: dict[str, object], expected: object) -> None:
    assert judge(report(fields(), **changes), CATALOGUE, SITE)[0].occurred_at == expected


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        (Kind.FAILURE, Action.FAILED),
        (Kind.DELAY, Action.DELAYED),
        (Kind.SUCCESS, Action.DELIVERED),
        (Kind.FEEDBACK, Action.DELIVERED),
    ],
)
def test_a_missing_action_follows_from_the_kind(kind: Kind, action: Action) -> None:
    """A complaint is about a mail that arrived, so it must not count as a failure."""
    assert judge(report(fields(action=None), kind=kind), CATALOGUE, SITE)[0].action is action


@pytest.mark.parametrize("action", [Action.DELIVERED, Action.RELAYED, Action.EXPANDED])
def test_a_receipt_needs_nobody(action: Action) -> None:
    bounce = refused("250 2.1.5 ok", action=action)
    assert (bounce.cause, bounce.owner, bounce.persistence) == (
        Cause.UNKNOWN,
        Owner.NOBODY,
        Persistence.UNKNOWN,
    )


def test_what_nobody_knows_is_unknown_and_goes_to_our_admins() -> None:
    bounce = refused("zzz")
    assert (bounce.cause, bounce.owner, bounce.entry) == (Cause.UNKNOWN, Owner.MAIL_ADMIN, None)
    assert bounce.why == "neither the code nor the text is in the catalogue"


def test_the_row_that_decided_is_named() -> None:
    assert refused("550 5.7.23 SPF").entry == "5.7.23"


def test_an_encoded_exchange_address_is_decoded_beside_the_given_one() -> None:
    """The address stays as the report gives it; the readable X.500 name stands beside it."""
    bounce = refused(final_recipient=IMCEAEX)
    assert bounce.recipient == IMCEAEX
    assert bounce.recipient_decoded == (
        "X500:/O=CONTOSO/OU=EXCHANGE ADMINISTRATIVE GROUP (FYDIBOHF23SPDLT)/CN=RECIPIENTS/CN=BOB_SMITH"
    )


@pytest.mark.parametrize(
    ("address", "decoded"),
    [
        pytest.param("bob@contoso.example", None, id="plain"),
        pytest.param("IMCEAEX-@contoso.example", None, id="empty"),
        pytest.param("IMCEAEX-_O=A", None, id="no domain"),
        pytest.param("imceaex-_o=A@c.example", "X500:/o=A", id="lower case"),
        pytest.param("IMCEAEX-_O=A+zz@c.example", "X500:/O=A+zz", id="not hexadecimal"),
        pytest.param("IMCEAEX-_O=A+0D+0AB+1B@c.example", "X500:/O=AB", id="control characters"),
    ],
)
def test_only_well_formed_exchange_addresses_are_decoded(address: str, decoded: str | None) -> None:
    assert decode_imceaex(address) == decoded


@pytest.mark.parametrize(
    "text",
    [
        "",
        "->",
        "-> -> ->",
        "\x00\x1b[31m",
        "550 " * 20_000,
        "user " * 20_000,
        "5.7." * 20_000,
        "550 5.99999.1 x",
        "\ud800 mailbox full",
    ],
    ids=repr,
)
def test_hostile_text_is_judged_without_an_error(text: str) -> None:
    """A reply is a stranger's text: any of it may come, of any length."""
    bounce = judge(report(fields(text[:200_000])), CATALOGUE, SITE)[0]
    assert bounce.cause in Cause
    assert len(bounce.why or "") < 400


def test_the_reason_holds_no_control_characters_of_the_mail() -> None:
    why = refused("550 mailbox exceeds \x1b[31m over quota").why or ""
    assert why.isprintable()


def test_the_reading_is_the_same_whoever_asks() -> None:
    """Judging is pure: the same report gives the same bounces."""
    one = report(fields("550 5.7.1 no"), fields("550 5.1.1 no", final_recipient="c@partner.example"))
    assert judge(one, CATALOGUE, SITE) == judge(replace(one), CATALOGUE, SITE)
