"""Addresses behind which no person reads."""

import time

import pytest

from bounce_watch.notifications.gate.robots import is_rewritten, is_robot

ROBOTS = [
    *("mailer-daemon", "MAILER-DAEMON", "mailer", "postmaster", "Postmaster", "abuse", "root", "uucp"),
    *("listserv", "majordomo", "nobody", "hostmaster", "webmaster", "daemon", "postmaster+box"),
    *("owner-news", "news-owner", "news-request", "mail-relay", "news-bounces", "news-bounces+lena"),
    *("list-admin", "list-errors", "noreply", "no-reply", "no_reply", "no.reply", "NoReply-Shop"),
    *(
        "shop-noreply",
        "invoices.no-reply",
        "nicht-antworten",
        "keineantwort",
        "no_responder",
        "ne-pas-repondre",
    ),
    *("nepasrepondre", "non-rispondere", "niet-beantwoorden", "nao.responda"),
    *("donotreply", "do-not-reply", "do_not_reply", "do.not.reply", "bounce", "bounces", "bounce-123"),
    *("notification", "notifications", "alert", "alerts", "healthmailbox1a2b", "HealthMailbox-x"),
    *("SystemMailbox{1f05a927}", "DiscoverySearchMailbox{d919}", "Migration.8f3e7716", "FederatedEmail.4c1f"),
    "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e",
]
PEOPLE = [
    *("mara", "mara.lindt", "tom+news", "reply", "norep.lyle", "nora.reply", "albert", "rooter", "abused"),
    *(
        "administrator.lee",
        "owner",
        "request",
        "relay",
        "malte.errors",
        "mailerta",
        "sysmailbox",
        "migrationsrat",
    ),
]


@pytest.mark.parametrize("local", ROBOTS)
def test_a_robot_is_recognised(local: str) -> None:
    assert is_robot(f"{local}@contoso.example")


@pytest.mark.parametrize("local", PEOPLE)
def test_a_person_is_no_robot(local: str) -> None:
    assert not is_robot(f"{local}@contoso.example")


@pytest.mark.parametrize(
    "local",
    [
        *("SRS0=Hx1=4B=fabrikam.example=lena", "SRS1=a=b==c=d=e.example=f", "srs0+ab=cd=e.example=f"),
        "IMCEAEX-_O=CONTOSO_OU=EX_CN=RECIPIENTS_CN=mara",
        *("bounces+SRS=Hx1=4B", "mara+SRS=Hx1=4B=fabrikam.example=lena", "prvs=0123456789=mara"),
        *(
            "msprvs1=abcd=mara",
            "btv1==0123abc==mara",
            "list-lena=fabrikam.example",
            "b+lena=fabrikam.example",
        ),
    ],
)
def test_a_rewritten_address_is_recognised(local: str) -> None:
    assert is_rewritten(f"{local}@contoso.example")


@pytest.mark.parametrize("local", ["mara", "mara+shop", "mara=x", "a-b", "srs", "prvs", "m+a=b"])
def test_an_ordinary_address_is_not_rewritten(local: str) -> None:
    assert not is_rewritten(f"{local}@contoso.example")


def test_a_hostile_local_part_costs_little_time() -> None:
    """64 KiB of almost-VERP are read in well under a second."""
    started = time.perf_counter()
    is_rewritten("+a=" * 21_000 + "@contoso.example")
    is_robot("no-" * 21_000 + "@contoso.example")
    assert time.perf_counter() - started < 0.5
