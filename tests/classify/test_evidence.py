"""How far a report may be believed: one row a case, with the default authority and with the mailbox's."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bounce_watch.classify import assess_evidence, judge
from bounce_watch.model import Authority, Evidence, OriginalMessage, Provenance, Signature
from tests.classify.reports import ARRIVED_AT, CATALOGUE, EXCHANGE_FROM, INTERNAL, SITE, fields, report

MAILBOX = replace(SITE, authority=Authority.MAILBOX)
MEMBER, STRANGER = "carla@contoso.example", "mallory@evil.example"
BY_MEMBER = Provenance(from_address=MEMBER, auth_as=("Internal",))
BY_STRANGER = Provenance(from_address=STRANGER, auth_as=("Anonymous",))
FOREIGN = Provenance(from_address="postmaster@partner.example", auth_as=("Anonymous",))
OUTSIDE_MAIL = OriginalMessage(message_id="<1@evil.example>", sender=STRANGER)
GUESSED_ID = OriginalMessage(message_id="<1@evil.example>", sender="anna@contoso.example")
OWN_ID = OriginalMessage(message_id="<1@contoso.example>", sender="anna@contoso.example")
SIGNED = replace(GUESSED_ID, signature=Signature.VALID)
TENANT_FROM = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.onmicrosoft.com"

INTERN = Evidence.INTERNAL
CORREL = Evidence.CORRELATED
UNVERI = Evidence.UNVERIFIED
CONTRA = Evidence.CONTRADICTORY

Layers = tuple[Provenance, ...]
MARKED: Layers = (INTERNAL,)
FROM_OUTSIDE: Layers = (FOREIGN,)
FORGED = replace(INTERNAL, auth_as=("Anonymous",))
MEMBER_FORGED = replace(BY_MEMBER, auth_as=("Anonymous",))
GUESSED = {"original": GUESSED_ID}
OWN = {"original": OWN_ID}
OUTSIDE = {"original": OUTSIDE_MAIL}
FORWARDED = {"forwarded_by": MEMBER}
MEMBER_TIER = Evidence.MEMBER
ABOUT_MEMBER = {"original": replace(OWN_ID, sender="Carla@contoso.example")}
ABOUT_NOBODY = {"original": replace(OWN_ID, sender=None)}
JOURNAL = {"envelopes": ("journal",)}


def marked(**changes: Any) -> Layers:
    """Return the layer of a bare report of our Exchange with some headers changed."""
    return (replace(INTERNAL, **changes),)


FAILED = "spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=x; dkim=none; dmarc=fail action=none"
PASSED = "spf=pass smtp.helo=mx.partner.example; dkim=none; dmarc=bestguesspass"
NOTHING = "dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=contoso.example;"
YOUNG = replace(OWN_ID, date=ARRIVED_AT + timedelta(days=2))
STRANGE = {
    "reporting_mta": "mx.evil.example",
    "recipients": (fields(final_recipient="dora@contoso.example"),),
}

Case = tuple[str, Layers, dict[str, Any], Evidence, Evidence]
CASES: list[Case] = [
    ("marked by our Exchange", MARKED, {}, INTERN, INTERN),
    ("marked, tenant address", marked(from_address=TENANT_FROM, is_ndr=False), {}, INTERN, INTERN),
    ("marked, no NDR mark, our postmaster", marked(is_ndr=False), {}, INTERN, INTERN),
    ("marked, letter case differs", marked(auth_as=("INTERNAL",)), {}, INTERN, INTERN),
    ("a colleague's mail that is no report", (BY_MEMBER,), GUESSED, UNVERI, INTERN),
    ("marked twice", marked(auth_as=("Internal", "Internal")), {}, CONTRA, CONTRA),
    ("marked and anonymous", marked(auth_as=("Internal", "Anonymous")), {}, CONTRA, CONTRA),
    ("forged in our name", (FORGED,), {}, CONTRA, CONTRA),
    ("our name without a mark", marked(auth_as=()), GUESSED, UNVERI, INTERN),
    ("another word than Internal", marked(auth_as=("Partner",)), GUESSED, UNVERI, INTERN),
    ("foreign report on our mail", FROM_OUTSIDE, OWN, CORREL, INTERN),
    ("foreign report, Exchange Online id", FROM_OUTSIDE, {}, CORREL, INTERN),
    ("foreign report, foreign id", FROM_OUTSIDE, GUESSED, UNVERI, INTERN),
    ("foreign report on a stranger's mail", FROM_OUTSIDE, OUTSIDE, UNVERI, UNVERI),
    ("our Exchange on a forwarded stranger's mail", MARKED, OUTSIDE, INTERN, INTERN),
    ("nothing known at all", (), {"original": OriginalMessage()}, UNVERI, INTERN),
    ("forwarded by a member", (BY_MEMBER, FOREIGN), FORWARDED | ABOUT_MEMBER, MEMBER_TIER, MEMBER_TIER),
    ("forwarded inline by a member", (BY_MEMBER,), FORWARDED | ABOUT_MEMBER, MEMBER_TIER, MEMBER_TIER),
    ("about nobody named", (BY_MEMBER,), FORWARDED | ABOUT_NOBODY, MEMBER_TIER, MEMBER_TIER),
    ("forwarded by a member, about another", (BY_MEMBER, FOREIGN), FORWARDED, UNVERI, UNVERI),
    ("a member's name forged", (MEMBER_FORGED, INTERNAL), FORWARDED, UNVERI, UNVERI),
    ("forwarded by a stranger", (BY_STRANGER, INTERNAL), {"forwarded_by": STRANGER}, UNVERI, UNVERI),
    ("a member forwards a forgery in our name", (BY_MEMBER, FORGED), FORWARDED, CONTRA, CONTRA),
    ("our name, DMARC failed", marked(auth_as=(), authentication_results=FAILED), OWN, CONTRA, INTERN),
    ("marked, but DMARC failed", marked(authentication_results=FAILED), {}, CONTRA, INTERN),
    ("marked, nothing was checked", marked(authentication_results=NOTHING), {}, INTERN, INTERN),
    (
        "a foreign reporter who failed",
        (replace(FOREIGN, authentication_results=FAILED),),
        OWN,
        UNVERI,
        INTERN,
    ),
    (
        "a foreign reporter who passed",
        (replace(FOREIGN, authentication_results=PASSED),),
        OWN,
        CORREL,
        INTERN,
    ),
    ("foreign report on a mail that we signed", FROM_OUTSIDE, {"original": SIGNED}, CORREL, INTERN),
    (
        "foreign reporter who failed, on a mail that we signed",
        (replace(FOREIGN, authentication_results=FAILED),),
        {"original": SIGNED},
        CORREL,
        INTERN,
    ),
    (
        "our signature does not hold",
        FROM_OUTSIDE,
        {"original": replace(SIGNED, signature=Signature.INVALID)},
        UNVERI,
        INTERN,
    ),
    (
        "our signature on a stranger's mail",
        FROM_OUTSIDE,
        {"original": replace(OUTSIDE_MAIL, signature=Signature.VALID)},
        UNVERI,
        UNVERI,
    ),
    ("two tenants in one layer", marked(tenant_ids=("a", "b")), {}, CONTRA, CONTRA),
    ("a mail of tomorrow", FROM_OUTSIDE, {"original": YOUNG}, CONTRA, INTERN),
    ("marked, on a mail of tomorrow (the writer's clock)", MARKED, {"original": YOUNG}, INTERN, INTERN),
    ("a stranger on our own addresses", FROM_OUTSIDE, STRANGE | OWN, CONTRA, INTERN),
    (
        "a foreign server on its own addresses",
        FROM_OUTSIDE,
        OWN
        | {
            "reporting_mta": "mx.partner.example",
            "recipients": (fields(final_recipient="x@partner.example"),),
        },
        CORREL,
        INTERN,
    ),
    (
        "a report without a date on a mail with one",
        FROM_OUTSIDE,
        {"original": YOUNG, "date": None, "arrival_date": None},
        CORREL,
        INTERN,
    ),
    (
        "nobody named on our own addresses",
        FROM_OUTSIDE,
        STRANGE | OWN | {"reporting_mta": None},
        CORREL,
        INTERN,
    ),
    (
        "Microsoft's server on our own addresses",
        FROM_OUTSIDE,
        STRANGE | OWN | {"reporting_mta": "AM6PR01MB1234.eurprd01.prod.outlook.com"},
        CORREL,
        INTERN,
    ),
    (
        "anonymous in the name of another tenant's Exchange",
        (replace(FOREIGN, from_address="postmaster@fabrikam.onmicrosoft.com"),),
        OWN,
        CORREL,
        INTERN,
    ),
    (
        "an unfamiliar name at another tenant, marked",
        marked(from_address="news@fabrikam.onmicrosoft.com", is_ndr=False),
        GUESSED,
        UNVERI,
        INTERN,
    ),
    (
        "our own domain on our own addresses",
        FROM_OUTSIDE,
        STRANGE | OWN | {"reporting_mta": "contoso.example"},
        CORREL,
        INTERN,
    ),
    (
        "our own server on our own addresses",
        FROM_OUTSIDE,
        STRANGE | OWN | {"reporting_mta": "MX.Contoso.example"},
        CORREL,
        INTERN,
    ),
    (
        "a server with our ending on our own addresses",
        FROM_OUTSIDE,
        STRANGE | OWN | {"reporting_mta": "notcontoso.example"},
        CONTRA,
        INTERN,
    ),
    (
        "a Message-ID nearly of our domain",
        FROM_OUTSIDE,
        {"original": replace(OWN_ID, message_id="<1@contoso.exampleX>")},
        UNVERI,
        INTERN,
    ),
    ("marked NDR from another address", marked(from_address="x@contoso.example"), GUESSED, INTERN, INTERN),
    (
        "our id on a mail without a sender",
        FROM_OUTSIDE,
        {"original": replace(OWN_ID, sender=None)},
        UNVERI,
        INTERN,
    ),
    (
        "one of two layers did not authenticate",
        (BY_MEMBER, replace(FOREIGN, authentication_results=FAILED)),
        JOURNAL | OWN,
        UNVERI,
        INTERN,
    ),
    ("a journal around our report", (INTERNAL, INTERNAL), JOURNAL, INTERN, INTERN),
    ("a journal around a foreign report", (INTERNAL, FOREIGN), JOURNAL | OWN, CORREL, INTERN),
    (
        "a journal around a report that claims to be an NDR of Exchange",
        (INTERNAL, replace(FOREIGN, is_ndr=True, auth_as=())),
        JOURNAL | GUESSED,
        UNVERI,
        INTERN,
    ),
    ("a forged journal around a marked report", (BY_STRANGER, INTERNAL), JOURNAL | GUESSED, UNVERI, INTERN),
]


@pytest.mark.parametrize(
    ("layers", "changes", "by_headers", "by_mailbox"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_report_gets_its_tier(
    layers: Layers, changes: dict[str, Any], by_headers: Evidence, by_mailbox: Evidence
) -> None:
    one = replace(report(fields(), provenance=layers), **changes)
    assert assess_evidence(one, SITE).evidence is by_headers
    assert assess_evidence(one, MAILBOX).evidence is by_mailbox


def test_a_listed_forwarder_counts_about_anyone() -> None:
    site = replace(SITE, forwarders=frozenset({MEMBER}))
    one = replace(report(fields(), provenance=(BY_MEMBER, FOREIGN)), forwarded_by=MEMBER)
    assert (assess_evidence(one, site).evidence, assess_evidence(one, SITE).evidence) == (INTERN, UNVERI)


def test_every_test_is_told_with_its_outcome() -> None:
    """`explain` prints these lines: what was looked at and what came out."""
    tests = dict(assess_evidence(report(fields()), SITE).tests)
    assert tests["marked as internal by Exchange"] == "yes"
    assert tests["authority"] == "exchange-headers"
    assert tests["tier"] == "our Exchange marked it as its own"
    assert tests["our DKIM signature on the mail"] == "not checked"
    assert list(tests) == [
        "at most one AuthAs value a layer",
        "written as our Exchange",
        "written as our Exchange, but anonymous",
        "bare or forwarded by a member",
        "forwarded, but anonymous",
        "marked as internal by Exchange",
        "sender of the mail is ours",
        "Message-ID of the mail is ours",
        "written as our Exchange, but not authorised by our domain",
        "authentication of a layer failed",
        "names another tenant",
        "the mail is younger than the report",
        "a stranger on mail between our own addresses",
        "our DKIM signature on the mail",
        "authority",
        "tier",
    ]


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("marked twice", "several AuthAs values, our Exchange writes one"),
        ("forged in our name", "claims to be our Exchange, but came in as anonymous"),
        ("our name, DMARC failed", "claims to be our Exchange, but our domain did not authorise it"),
        ("two tenants in one layer", "names another tenant, or several"),
        ("forwarded by a stranger", "forwarded by somebody outside the organisation"),
        ("a member's name forged", "forwarded in a member's name, but came in as anonymous"),
        ("a mail of tomorrow", "reports on a mail that was written after the report"),
        ("a stranger on our own addresses", "a stranger reports on mail between our own addresses"),
        ("foreign report on a stranger's mail", "reports on a mail whose sender is not ours"),
        ("foreign report on a mail that we signed", "foreign, on a mail that our domain signed"),
        ("a foreign reporter who failed", "whoever reports did not authenticate"),
        ("foreign report on our mail", "foreign, on a mail that we sent"),
        ("foreign report, foreign id", "nothing proves that we sent the mail"),
    ],
)
def test_a_tier_is_told_with_its_reason(case: str, why: str) -> None:
    (layers, changes), *_ = (row[1:3] for row in CASES if row[0] == case)
    one = replace(report(fields(), provenance=layers), **changes)
    assert dict(assess_evidence(one, SITE).tests)["tier"] == why


def test_a_mailbox_that_is_trusted_is_the_reason() -> None:
    tests = dict(assess_evidence(report(fields(), provenance=(FOREIGN,)), MAILBOX).tests)
    assert tests["tier"] == "it lies in the mailbox, which the configuration trusts"


def test_one_layer_of_our_exchange_is_told_of() -> None:
    one = replace(report(fields(), provenance=(BY_MEMBER, INTERNAL)), forwarded_by=MEMBER)
    assert dict(assess_evidence(one, SITE).tests)["written as our Exchange"] == "yes"


OTHER_TENANT = ("99999999-2222",)


@pytest.mark.parametrize(
    ("layer", "tier"),
    [
        pytest.param(replace(FOREIGN, tenant_ids=OTHER_TENANT), CORREL, id="a foreign report names its own"),
        pytest.param(replace(BY_MEMBER, tenant_ids=OTHER_TENANT), CONTRA, id="a layer that is marked"),
        pytest.param(
            replace(INTERNAL, auth_as=(), tenant_ids=OTHER_TENANT),
            CONTRA,
            id="a layer in the name of Exchange",
        ),
        pytest.param(INTERNAL, INTERN, id="our Exchange names none"),
    ],
)
def test_only_what_claims_to_be_ours_must_name_our_tenant(layer: Provenance, tier: Evidence) -> None:
    site = replace(SITE, tenant="11111111-2222")
    assert (
        assess_evidence(replace(report(fields(), provenance=(layer,)), original=OWN_ID), site).evidence
        is tier
    )


@pytest.mark.parametrize(
    ("tenant", "tier"),
    [
        pytest.param(None, INTERN, id="the configuration names none"),
        pytest.param("11111111-2222", INTERN, id="ours"),
        pytest.param("99999999-2222", CONTRA, id="another one"),
    ],
)
def test_a_report_of_another_tenant_is_not_believed(tenant: str | None, tier: Evidence) -> None:
    site = replace(SITE, tenant=tenant)
    assert (
        assess_evidence(report(fields(), provenance=marked(tenant_ids=("11111111-2222",))), site).evidence
        is tier
    )


def test_a_sub_domain_of_ours_is_not_ours() -> None:
    sender = OriginalMessage(message_id="<1@contoso.example>", sender="anna@sub.contoso.example")
    assert assess_evidence(report(fields(), provenance=(FOREIGN,), original=sender), SITE).evidence is UNVERI


def test_bounces_carry_the_tier_and_without_a_site_none() -> None:
    one = report(fields("550 5.1.1 no such user"))
    assert judge(one, CATALOGUE, SITE)[0].evidence is INTERN
    assert judge(one, CATALOGUE, None)[0].evidence is None
    assert EXCHANGE_FROM.endswith("contoso.example")
