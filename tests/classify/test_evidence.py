"""How far a report is trusted: one row per case, with Exchange's mark and with the mailbox as authority."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bounce_watch.classify import assess_evidence, judge
from bounce_watch.classify.evidence import EvidenceResult
from bounce_watch.model import Authority, Evidence, OriginalMessage, Provenance, Signature, Site
from tests.classify.reports import ARRIVED_AT, CATALOGUE, EXCHANGE_FROM, INTERNAL, SITE, fields, report

MAILBOX = replace(SITE, authority=Authority.MAILBOX)
RECEIVER = replace(
    SITE, authority=Authority.AUTHENTICATION_RESULTS, authserv_ids=frozenset({"mx.archive.example"})
)
MEMBER, DESK, STRANGER = "carla@contoso.example", "helpdesk@contoso.example", "mallory@evil.example"
TENANT_FROM = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.onmicrosoft.com"

MARK = "X-MS-Exchange-Organization-AuthAs"

INTERN = Evidence.INTERNAL
BYWHOM = Evidence.MEMBER
CORREL = Evidence.CORRELATED
UNVERI = Evidence.UNVERIFIED
CONTRA = Evidence.CONTRADICTORY

Layers = tuple[Provenance, ...]

FAILED = "spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=x; dkim=none; dmarc=fail action=none"
NOTHING = "dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=contoso.example;"


def layer(author: str | None, *marks: str, opened: str = "", results: str | None = None) -> Provenance:
    return Provenance(opened=opened, from_address=author, auth_as=marks, authentication_results=results)


def marked(**changes: Any) -> Provenance:
    """Return the layer of a report of our Exchange with some headers changed."""
    return replace(INTERNAL, **changes)


JOURNAL = layer(EXCHANGE_FROM, "Internal")
FOREIGN = layer("postmaster@partner.example", "Anonymous")
DAEMON = layer("mailer-daemon@mx.contoso.example", "Internal")
BY_MEMBER = layer(MEMBER, "Internal")
BY_DESK = layer(DESK, "Internal")
BY_STRANGER = layer(STRANGER, "Anonymous")
JOURNALED = marked(opened="journal")
ATTACHED = marked(opened="attached")
PASTED = layer(None, opened="inline")


def about(sender: str | None, **changes: Any) -> dict[str, Any]:
    """Return the original message for a report; `known` is what our records say, and no field of it."""
    original = OriginalMessage(message_id="<1@contoso.example>", sender=sender)
    known = {"known": True} if changes.pop("known", False) else {}
    return {"original": replace(original, **changes), **known}


def assess(layers: Layers, changes: dict[str, Any], site: Site = SITE) -> EvidenceResult:
    values = dict(changes)
    known = values.pop("known", False)
    one = replace(report(fields(), provenance=layers), **values)
    return assess_evidence(one, site, is_known=known)


ANNA = "anna@contoso.example"
SIGNED = about(ANNA, signature=Signature.VALID)
KNOWN = about(ANNA, known=True)
YOUNG = about(ANNA, known=True, date=ARRIVED_AT + timedelta(days=2))
CARLA = about("Carla@contoso.example")


def on_our_own(reporting_mta: str | None) -> dict[str, Any]:
    refused = (fields(final_recipient="dora@contoso.example"),)
    return KNOWN | {"recipients": refused, "reporting_mta": reporting_mta}


Case = tuple[str, Layers, dict[str, Any], Evidence, Evidence]
OUTERMOST: list[Case] = [
    ("marked by our Exchange", (marked(),), {}, INTERN, INTERN),
    ("marked, our tenant's own domain", (marked(from_address=TENANT_FROM),), {}, INTERN, INTERN),
    ("marked, our postmaster", (marked(from_address="postmaster@contoso.example"),), {}, INTERN, INTERN),
    ("marked, our relay", (DAEMON,), {}, INTERN, INTERN),
    ("marked, letter case differs", (marked(auth_as=("INTERNAL",)),), {}, INTERN, INTERN),
    ("marked, nothing was checked", (marked(authentication_results=NOTHING),), {}, INTERN, INTERN),
    ("marked, on a stranger's mail", (marked(),), about(STRANGER), INTERN, INTERN),
    ("marked, on a mail of tomorrow (the writer's clock)", (marked(),), YOUNG, INTERN, INTERN),
    ("marked, from a stranger", (layer(STRANGER, "Internal"),), {}, UNVERI, UNVERI),
    (
        "marked, a robot of a stranger",
        (layer("mailer-daemon@notcontoso.example", "Internal"),),
        {},
        UNVERI,
        UNVERI,
    ),
    ("marked, no single From", (layer(None, "Internal"),), {}, UNVERI, UNVERI),
    ("marked twice", (marked(auth_as=("Internal", "Internal")),), {}, CONTRA, CONTRA),
    ("marked and anonymous", (marked(auth_as=("Internal", "Anonymous")),), {}, CONTRA, CONTRA),
    ("forged in our name", (marked(auth_as=("Anonymous",)),), {}, CONTRA, CONTRA),
    ("another word than Internal", (marked(auth_as=("Partner",)),), {}, UNVERI, UNVERI),
    ("no mark", (marked(auth_as=()),), {}, UNVERI, INTERN),
    (
        "no mark, another tenant's Exchange",
        (marked(auth_as=(), from_address=TENANT_FROM),),
        {},
        UNVERI,
        UNVERI,
    ),
    (
        "no mark, DMARC failed",
        (marked(auth_as=(), authentication_results=FAILED),),
        KNOWN,
        CONTRA,
        CONTRA,
    ),
    ("marked, but DMARC failed", (marked(authentication_results=FAILED),), {}, CONTRA, CONTRA),
    (
        "a member whose DMARC failed",
        (replace(BY_MEMBER, authentication_results=FAILED),),
        CARLA,
        CONTRA,
        CONTRA,
    ),
    ("two tenants in one layer", (marked(tenant_ids=("a", "b")),), {}, CONTRA, CONTRA),
    ("a member writes a report about herself", (BY_MEMBER,), CARLA, BYWHOM, BYWHOM),
    ("a member writes a report about another", (BY_MEMBER,), about(ANNA), UNVERI, UNVERI),
    ("nothing known at all", (), about(None), UNVERI, UNVERI),
]
FROM_OTHERS: list[Case] = [
    ("foreign report", (FOREIGN,), about(ANNA), UNVERI, UNVERI),
    ("foreign report without a mark", (replace(FOREIGN, auth_as=()),), about(ANNA), UNVERI, UNVERI),
    ("foreign report with our Message-ID only", (FOREIGN,), about(ANNA), UNVERI, UNVERI),
    ("foreign report on a mail that we signed", (FOREIGN,), SIGNED, CORREL, CORREL),
    ("foreign report on a mail that we know", (FOREIGN,), KNOWN, CORREL, CORREL),
    ("our signature is invalid", (FOREIGN,), about(ANNA, signature=Signature.INVALID), UNVERI, UNVERI),
    ("signed, a stranger's mail", (FOREIGN,), about(STRANGER, signature=Signature.VALID), UNVERI, UNVERI),
    ("known, a stranger's mail", (FOREIGN,), about(STRANGER, known=True), UNVERI, UNVERI),
    ("known, without a sender", (FOREIGN,), about(None, known=True), UNVERI, UNVERI),
    ("a mail of tomorrow", (FOREIGN,), YOUNG, CONTRA, CONTRA),
    (
        "a report without a date on a mail with one",
        (FOREIGN,),
        YOUNG | {"date": None, "arrival_date": None},
        CORREL,
        CORREL,
    ),
    ("a stranger on our own addresses", (FOREIGN,), on_our_own("mx.evil.example"), CONTRA, CONTRA),
    ("a server with our ending", (FOREIGN,), on_our_own("notcontoso.example"), CONTRA, CONTRA),
    ("our own server", (FOREIGN,), on_our_own("MX.Contoso.example"), CORREL, CORREL),
    ("Microsoft's server", (FOREIGN,), on_our_own("am6.eurprd01.prod.outlook.com"), CORREL, CORREL),
    ("no server named", (FOREIGN,), on_our_own(None), CORREL, CORREL),
]
WITH_LAYERS: list[Case] = [
    ("a journal around our report", (JOURNAL, JOURNALED), {}, INTERN, INTERN),
    ("a journal in a journal", (JOURNAL, replace(JOURNAL, opened="journal"), JOURNALED), {}, INTERN, INTERN),
    ("our relay hands on our report", (DAEMON, ATTACHED), {}, INTERN, INTERN),
    (
        "a journal of our relay's",
        (JOURNAL, replace(DAEMON, opened="journal"), ATTACHED),
        {},
        INTERN,
        INTERN,
    ),
    ("a journal without a mark", (layer(EXCHANGE_FROM), JOURNALED), {}, UNVERI, INTERN),
    ("no mark inside the journal", (JOURNAL, replace(JOURNALED, auth_as=())), {}, UNVERI, UNVERI),
    (
        "no mark at all in the journal",
        (layer(EXCHANGE_FROM), replace(JOURNALED, auth_as=())),
        {},
        UNVERI,
        UNVERI,
    ),
    (
        "a journal around a foreign report",
        (JOURNAL, replace(FOREIGN, opened="journal")),
        KNOWN,
        CORREL,
        CORREL,
    ),
    ("a journal that a stranger wrote", (BY_STRANGER, JOURNALED), KNOWN, UNVERI, UNVERI),
    ("a journal that a member wrote", (BY_MEMBER, JOURNALED), about(ANNA), UNVERI, UNVERI),
    (
        "a stranger's relay",
        (layer("mailer-daemon@mx.evil.example", "Anonymous"), ATTACHED),
        SIGNED,
        UNVERI,
        UNVERI,
    ),
    (
        "a stranger's relay, unmarked",
        (layer("mailer-daemon@mx.evil.example"), ATTACHED),
        SIGNED,
        UNVERI,
        UNVERI,
    ),
    (
        "a journal around a stranger's fake journal",
        (JOURNAL, replace(BY_STRANGER, opened="journal"), JOURNALED),
        SIGNED,
        UNVERI,
        UNVERI,
    ),
    (
        "the same without a mark",
        (JOURNAL, layer(EXCHANGE_FROM, opened="journal"), JOURNALED),
        SIGNED,
        UNVERI,
        UNVERI,
    ),
]
FORWARDED: list[Case] = [
    ("by a member, about herself", (BY_MEMBER, ATTACHED), CARLA, BYWHOM, BYWHOM),
    (
        "a foreign report, about herself",
        (BY_MEMBER, replace(FOREIGN, opened="attached")),
        CARLA,
        BYWHOM,
        BYWHOM,
    ),
    ("pasted, about herself", (BY_MEMBER, PASTED), CARLA, BYWHOM, BYWHOM),
    ("about nobody named", (BY_MEMBER, PASTED), about(None), BYWHOM, BYWHOM),
    ("about another", (BY_MEMBER, ATTACHED), about(ANNA), UNVERI, UNVERI),
    ("about another, with a proof", (BY_MEMBER, ATTACHED), SIGNED, CORREL, CORREL),
    ("by an unmarked member", (replace(BY_MEMBER, auth_as=()), ATTACHED), CARLA, UNVERI, BYWHOM),
    ("in a member's name", (replace(BY_MEMBER, auth_as=("Anonymous",)), ATTACHED), CARLA, UNVERI, UNVERI),
    (
        "in a member's name, DMARC failed",
        (replace(BY_MEMBER, authentication_results=FAILED), ATTACHED),
        CARLA,
        CONTRA,
        CONTRA,
    ),
    ("by a stranger", (BY_STRANGER, ATTACHED), SIGNED, UNVERI, UNVERI),
    ("a forgery in our name", (BY_MEMBER, replace(ATTACHED, auth_as=("Anonymous",))), CARLA, CONTRA, CONTRA),
    (
        "a stranger's message with a report in it",
        (BY_MEMBER, replace(BY_STRANGER, opened="attached"), ATTACHED),
        CARLA,
        UNVERI,
        UNVERI,
    ),
    (
        "an unmarked message with a report in it",
        (BY_MEMBER, layer(EXCHANGE_FROM, opened="attached"), JOURNALED),
        CARLA,
        UNVERI,
        UNVERI,
    ),
    (
        "a stranger's message, pasted, with a report in it",
        (BY_MEMBER, layer(STRANGER, opened="inline"), PASTED),
        CARLA,
        UNVERI,
        UNVERI,
    ),
    (
        "by a member, from a member, about the outer one",
        (BY_MEMBER, replace(BY_DESK, opened="attached"), ATTACHED),
        CARLA,
        BYWHOM,
        BYWHOM,
    ),
    (
        "by a member, from a member, about the inner one",
        (BY_DESK, replace(BY_MEMBER, opened="attached"), ATTACHED),
        CARLA,
        UNVERI,
        UNVERI,
    ),
    ("journaled", (JOURNAL, replace(BY_MEMBER, opened="journal"), ATTACHED), CARLA, BYWHOM, BYWHOM),
]
CASES = [*OUTERMOST, *FROM_OTHERS, *WITH_LAYERS, *FORWARDED]


@pytest.mark.parametrize(
    ("layers", "changes", "by_headers", "by_mailbox"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_report_gets_its_tier(
    layers: Layers, changes: dict[str, Any], by_headers: Evidence, by_mailbox: Evidence
) -> None:
    assert assess(layers, changes).evidence is by_headers
    assert assess(layers, changes, MAILBOX).evidence is by_mailbox


SIGNED_BY_US = "mx.archive.example; dkim=pass header.d=contoso.example header.s=s1; dmarc=pass"


@pytest.mark.parametrize(
    ("layers", "tier"),
    [
        pytest.param((marked(auth_as=(), authentication_results=SIGNED_BY_US),), INTERN, id="a report"),
        pytest.param((marked(),), UNVERI, id="Exchange's mark, which anybody can write there"),
        pytest.param((layer(EXCHANGE_FROM, results=SIGNED_BY_US), JOURNALED), INTERN, id="a journal"),
        pytest.param(
            (layer(EXCHANGE_FROM, results=SIGNED_BY_US), replace(JOURNALED, auth_as=())),
            UNVERI,
            id="a journal, nothing marked inside",
        ),
        pytest.param((layer(MEMBER, results=SIGNED_BY_US), ATTACHED), BYWHOM, id="a member"),
        pytest.param(
            (layer(STRANGER, results=SIGNED_BY_US), ATTACHED), UNVERI, id="our signature, a stranger"
        ),
        pytest.param(
            (layer(None, results=SIGNED_BY_US), ATTACHED), UNVERI, id="our signature, two From fields"
        ),
        pytest.param(
            (marked(authentication_results=SIGNED_BY_US.replace("mx.archive", "mx.evil")),),
            UNVERI,
            id="another server",
        ),
        pytest.param(
            (marked(authentication_results=SIGNED_BY_US.replace("mx.archive.example;", ";")),),
            UNVERI,
            id="no server named",
        ),
        pytest.param(
            (marked(auth_as=("Anonymous",), authentication_results=SIGNED_BY_US),), CONTRA, id="anonymous"
        ),
    ],
)
def test_a_named_server_proves_the_outermost_layer(layers: Layers, tier: Evidence) -> None:
    """At an archive nobody removes Exchange's mark from what comes in, so our signature takes its place."""
    assert assess(layers, CARLA, RECEIVER).evidence is tier


@pytest.mark.parametrize(
    ("layers", "changes", "tier"),
    [
        pytest.param((BY_DESK, ATTACHED), about(ANNA), INTERN, id="about anyone"),
        pytest.param((BY_DESK, PASTED), about(ANNA), INTERN, id="pasted"),
        pytest.param((BY_DESK, layer(EXCHANGE_FROM, opened="attached")), about(ANNA), INTERN, id="unmarked"),
        pytest.param((BY_DESK,), about(ANNA), INTERN, id="its own report"),
        pytest.param(
            (BY_DESK, replace(FOREIGN, opened="attached")), about(ANNA), UNVERI, id="a foreign report"
        ),
        pytest.param(
            (BY_DESK, replace(ATTACHED, auth_as=("Anonymous",))), about(ANNA), CONTRA, id="a forged report"
        ),
        pytest.param(
            (BY_DESK, replace(BY_MEMBER, opened="attached"), ATTACHED), CARLA, BYWHOM, id="a member's forward"
        ),
        pytest.param(
            (BY_DESK, replace(BY_MEMBER, opened="attached"), ATTACHED),
            about(ANNA),
            UNVERI,
            id="a member's forward about another",
        ),
        pytest.param(
            (BY_MEMBER, replace(BY_DESK, opened="attached"), ATTACHED),
            about(ANNA),
            UNVERI,
            id="a member says that the help desk forwarded it",
        ),
        pytest.param(
            (BY_DESK, replace(BY_STRANGER, opened="attached"), ATTACHED),
            about(ANNA),
            UNVERI,
            id="a stranger's",
        ),
    ],
)
def test_the_forwards_of_the_help_desk_count_about_anyone(
    layers: Layers, changes: dict[str, Any], tier: Evidence
) -> None:
    site = replace(SITE, forwarders=frozenset({DESK}))
    assert assess(layers, changes, site).evidence is tier


def test_the_table_names_every_layer_and_what_was_looked_at() -> None:
    forged = (JOURNAL, replace(BY_STRANGER, opened="journal"), ATTACHED)
    assert assess_evidence(report(fields(), provenance=forged), SITE).tests == (
        ("1. the message in the mailbox", "our Exchange (X-MS-Exchange-Organization-AuthAs: Internal)"),
        ("2. the journaled message", "an outsider (X-MS-Exchange-Organization-AuthAs: Anonymous)"),
        ("3. the attached message", "not looked at: it is inside the one before"),
        ("sender of the mail", "ours"),
        ("our DKIM signature on the mail", "not checked"),
        ("our records know its Message-ID", "no"),
        ("the mail is younger than the report", "no"),
        ("a stranger on mail between our own addresses", "no"),
        ("authority", "exchange-headers"),
        (
            "decided by",
            f"the journaled message ({MARK}: Anonymous): an outsider, so nothing inside it counts",
        ),
    )


OUTER = "the message in the mailbox"
NO_PROOF = "and nothing proves that we sent the mail"
BACK = "the mail that came back"
REPORTER = "the report (Reporting-MTA: mx.evil.example)"
ABOUT_OURS = "on mail between our own addresses"
DECIDED = {
    "marked by our Exchange": f"{OUTER} ({MARK}: Internal): our Exchange wrote it",
    "a journal around our report": f"the journaled message ({MARK}: Internal): our Exchange wrote it",
    "no mark inside the journal": f"the journaled message (no {MARK}): not proved, {NO_PROOF}",
    "marked twice": f"{OUTER} (2 {MARK} headers, and our Exchange writes one): it contradicts itself",
    "a member whose DMARC failed": (
        f"{OUTER} (From: {MEMBER}, but Authentication-Results: spf=fail, dkim=none, dmarc=fail): "
        "it contradicts itself"
    ),
    "by a member, about herself": f"{OUTER} ({MARK}: Internal): reported by {MEMBER}, about their own mail",
    "about another": f"{OUTER} ({MARK}: Internal): reported by {MEMBER}, about another user's message",
    "by a stranger": f"{OUTER} ({MARK}: Anonymous): an outsider, so nothing inside it counts",
    "marked, from a stranger": f"{OUTER} (From: {STRANGER}): an outsider, {NO_PROOF}",
    "foreign report on a mail that we signed": f"{BACK} (DKIM-Signature): our domain signed it",
    "foreign report on a mail that we know": f"{BACK} (Message-ID): our records know it",
    "a mail of tomorrow": f"{BACK} (Date): it is younger than the report",
    "a stranger on our own addresses": f"{REPORTER}: a stranger, {ABOUT_OURS}",
}


@pytest.mark.parametrize(("case", "decided"), DECIDED.items(), ids=DECIDED)
def test_the_layer_and_the_header_that_decided_are_named(case: str, decided: str) -> None:
    (layers, changes), *_ = (row[1:3] for row in CASES if row[0] == case)
    assert assess(layers, changes).decided == decided


OTHER_TENANT = ("99999999-2222",)


@pytest.mark.parametrize(
    ("one", "tier"),
    [
        pytest.param(replace(FOREIGN, tenant_ids=OTHER_TENANT), CORREL, id="a foreign report names its own"),
        pytest.param(replace(BY_MEMBER, tenant_ids=OTHER_TENANT), CONTRA, id="a layer that is marked"),
        pytest.param(marked(auth_as=(), tenant_ids=OTHER_TENANT), CONTRA, id="in the name of Exchange"),
        pytest.param(marked(), INTERN, id="our Exchange names none"),
    ],
)
def test_only_what_claims_to_be_ours_must_name_our_tenant(one: Provenance, tier: Evidence) -> None:
    assert assess((one,), KNOWN, replace(SITE, tenant="11111111-2222")).evidence is tier


@pytest.mark.parametrize(
    ("tenant", "tier"),
    [
        pytest.param(None, INTERN, id="the configuration names none"),
        pytest.param("11111111-2222", INTERN, id="ours"),
        pytest.param("99999999-2222", CONTRA, id="another one"),
    ],
)
def test_a_report_of_another_tenant_is_not_believed(tenant: str | None, tier: Evidence) -> None:
    one = report(fields(), provenance=(marked(tenant_ids=("11111111-2222",)),))
    assert assess_evidence(one, replace(SITE, tenant=tenant)).evidence is tier


def test_a_sub_domain_of_ours_is_not_ours() -> None:
    assert assess((FOREIGN,), about("anna@sub.contoso.example", known=True)).evidence is UNVERI


def test_bounces_carry_the_tier_and_without_a_site_none() -> None:
    one = report(fields("550 5.1.1 no such user"))
    assert judge(one, CATALOGUE, SITE)[0].evidence is INTERN
    assert judge(one, CATALOGUE, None)[0].evidence is None
