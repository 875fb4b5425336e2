"""What a member forwards counts about this member only; what our own records know is correlated."""

from collections.abc import Callable

import pytest

from bounce_watch.model import Evidence
from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG, Home, ndr
from tests.servers.kept import FILE

pytestmark = pytest.mark.slow

BLOCKED = "550 5.1.8 Access denied, bad outbound sender AS(42004)"
LENA, TOM = "lena@larkfield.example", "tom@larkfield.example"
DOUBT = "reported by the person concerned, not confirmed"


def blocked(sender: str, number: int = 1) -> bytes:
    return ndr(sender, number=number, reply=BLOCKED, status="5.1.8", remote=None)


def forwarded(by: str, report: bytes) -> bytes:
    """Return a member's mail, marked by our Exchange, with a report attached."""
    head = (
        f"From: {by}",
        "To: bounces@larkfield.example",
        "Subject: FW: Undeliverable",
        "X-MS-Exchange-Organization-AuthAs: Internal",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=w",
        "",
        "--w",
        "Content-Type: message/rfc822",
        "",
        "",
    )
    return "\r\n".join(head).encode() + report + b"\r\n--w--\r\n"


def evidence_of(home: Home) -> list[Evidence | None]:
    return [row.bounce.evidence for row in home.context.store.history.find()]


def test_a_member_reports_about_herself(home: Home) -> None:
    home.deliver(forwarded(LENA, blocked(LENA)), "1.mail")
    assert home.look().opened == [1]
    assert evidence_of(home) == [Evidence.MEMBER]
    assert home.context.store.incidents.show(1).incident.finding.confirmed is False
    assert any(DOUBT.encode() in mail.replace(b"=\r\n", b"").replace(b"\r\n ", b" ") for mail in home.sent())


def test_the_commands_about_incidents_say_so_too(home: Home, store_line: str) -> None:
    home.deliver(forwarded(LENA, blocked(LENA)), "1.mail")
    home.look()
    config = home.folder / "config.toml"
    config.write_text(CONFIG.replace(FILE, store_line))
    for command in (("list",), ("show", "1")):
        told = " ".join(call("-c", str(config), "incidents", *command).stdout.split()).lower()
        assert "person concerned" in told


def test_a_report_of_our_exchange_confirms_it(home: Home) -> None:
    home.deliver(forwarded(LENA, blocked(LENA)), "1.mail")
    home.look()
    home.deliver(blocked(LENA, number=2), "2.mail")
    assert home.look().opened == []
    assert home.context.store.incidents.show(1).incident.finding.confirmed is True


def test_a_member_cannot_report_about_a_colleague(home: Home) -> None:
    home.deliver(forwarded(LENA, blocked(TOM)), "1.mail")
    assert home.look().opened == []
    assert (evidence_of(home), home.sent()) == ([Evidence.UNVERIFIED], [])


HELP_DESK = ("[digest]", '[trust]\nforwarders = ["Lena@larkfield.example"]\n[digest]')


def test_the_help_desk_can(open_home: Callable[..., Home]) -> None:
    home = open_home(HELP_DESK)
    home.deliver(forwarded(LENA, blocked(TOM)), "1.mail")
    assert home.look().opened == [1]
    assert home.context.store.incidents.show(1).incident.finding.confirmed is True


@pytest.mark.parametrize("report", [ndr(TOM), forwarded(TOM, ndr(TOM))], ids=["a report", "his forward"])
def test_the_reply_goes_to_the_person_whose_mail_bounced(
    open_home: Callable[..., Home], report: bytes
) -> None:
    home = open_home(HELP_DESK)
    home.deliver(forwarded(LENA, report), "1.mail")
    assert home.look().letters == 1
    (reply,) = home.sent()
    assert f"To: {TOM}".encode() in reply


@pytest.mark.parametrize(
    ("accept", "accepted"),
    [
        ('["internal"]', {Evidence.INTERNAL, Evidence.MEMBER}),
        ('["internal", "correlated"]', {Evidence.INTERNAL, Evidence.MEMBER, Evidence.CORRELATED}),
        ("[]", set()),
    ],
)
def test_a_configuration_that_never_heard_of_members_accepts_them_as_before(
    open_home: Callable[..., Home], accept: str, accepted: set[Evidence]
) -> None:
    home = open_home(("[digest]", f"[trust]\naccept = {accept}\n[digest]"))
    assert home.config.site.accepted_evidence == accepted


def foreign(sender: str, message_id: str, number: int) -> bytes:
    """Return another mail system's report, which our Exchange marked as coming from outside."""
    mail = ndr(sender, number=number, authority="Anonymous")
    mail = mail.replace(
        b"MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@larkfield", b"postmaster@fabrikam"
    )
    return mail.replace(b"mail.%d@larkfield.example" % number, message_id.encode())


def test_our_own_report_proves_that_we_sent_the_mail(home: Home) -> None:
    """Another server's report on a Message-ID and a sender that our Exchange named before is correlated."""
    home.deliver(ndr(LENA, number=1), "1.mail")
    home.look()
    home.deliver(foreign(LENA, "mail.1@larkfield.example", 2), "2.mail")
    home.deliver(foreign(TOM, "mail.1@larkfield.example", 3), "3.mail")
    home.deliver(foreign(LENA, "other.1@larkfield.example", 4), "4.mail")
    home.look()
    found = {row.id: row.bounce.evidence for row in home.context.store.history.find()}
    assert found == {
        1: Evidence.INTERNAL,
        2: Evidence.CORRELATED,
        3: Evidence.UNVERIFIED,
        4: Evidence.UNVERIFIED,
    }


def test_explain_asks_our_records_too(home: Home, store_line: str) -> None:
    home.deliver(ndr(LENA, number=1), "1.mail")
    home.look()
    config, mail = home.folder / "config.toml", home.folder / "foreign.eml"
    config.write_text(CONFIG.replace(FILE, store_line))
    mail.write_bytes(foreign(LENA, "mail.1@larkfield.example", 2))
    told = " ".join(call("-c", str(config), "explain", str(mail)).stdout.split())
    assert "How far it is believed: correlated" in told
    assert "(Message-ID): our records know it" in told
