"""Spoofed reports are stored and counted apart; they cause no reply and no alert, genuine ones do.

Each recipe turns a genuine internal report of a blocked account (5.1.8, the loudest there is) into what
somebody outside could get into the mailbox. Exchange's header firewall takes the organisation's own
headers off incoming mail, hence the marks of a forgery are missing, doubled, or contradict another header.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bounce_watch.classify import assess_evidence, judge
from bounce_watch.config.load import load_config
from bounce_watch.model import Authority, Cause, Evidence, Kind, LetterKind, Report, Site
from bounce_watch.notifications.gate.check import check
from bounce_watch.notifications.gate.values import Candidate, Mode, Past, Policy, Refused
from bounce_watch.parse import read
from bounce_watch.sandbox.jobs import shipped_catalogue
from bounce_watch.shipped_files import folder as shipped
from tests.pipeline.conftest import START, Home, ndr

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[1] / "samples"
BLOCKED = "550 5.1.8 Access denied, bad outbound sender AS(42004)"
MARK = b"X-MS-Exchange-Organization-AuthAs: Internal\r\n"
AUTHOR = b"MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@larkfield.example"
SITE = Site(organisation="Larkfield", accepted_domains=frozenset({"larkfield.example"}), tenant="our-tenant")
CATALOGUE = shipped_catalogue()
Recipe = Callable[[bytes], bytes]


def genuine(number: int = 1) -> bytes:
    return ndr(number=number, reply=BLOCKED, status="5.1.8", remote=None)


def put(*pairs: tuple[bytes, bytes]) -> Recipe:
    """Return a recipe that replaces texts, each of which must be there."""

    def change(mail: bytes) -> bytes:
        for old, new in pairs:
            assert old in mail, old
            mail = mail.replace(old, new)
        return mail

    return change


def mark(*lines: bytes) -> Recipe:
    """Return a recipe that puts header lines in the place of the genuine mark."""
    return put((MARK, b"".join(line + b"\r\n" for line in lines)))


def wrap(author: bytes, *headers: bytes) -> Recipe:
    """Return a recipe that forwards the whole report as an attachment."""

    def change(mail: bytes) -> bytes:
        head = [b"From: " + author, b"To: bounces@larkfield.example", b"Subject: FW: Undeliverable", *headers]
        head += [b"MIME-Version: 1.0", b"Content-Type: multipart/mixed; boundary=w", b""]
        body = [b"--w", b"Content-Type: message/rfc822", b"", mail, b"--w--", b""]
        return b"\r\n".join([*head, *body])

    return change


def chain(*recipes: Recipe) -> Recipe:
    def change(mail: bytes) -> bytes:
        for recipe in recipes:
            mail = recipe(mail)
        return mail

    return change


AS = b"X-MS-Exchange-Organization-AuthAs: "
UNMARKED = mark()
DMARC_FAILED = b"Authentication-Results: spf=fail; dkim=none; dmarc=fail header.from=larkfield.example"
ANOTHER_FROM = put((AUTHOR, b"postmaster@mx.evil.example"))
RECIPES: dict[str, Recipe] = {
    "no mark at all": UNMARKED,
    "anonymous": mark(AS + b"Anonymous"),
    "partner": mark(AS + b"Partner"),
    "external": mark(AS + b"External"),
    "empty mark": mark(AS),
    "mark twice": mark(AS + b"Internal", AS + b"Internal"),
    "anonymous, then internal": mark(AS + b"Anonymous", AS + b"Internal"),
    "internal, then anonymous": mark(AS + b"Internal", AS + b"Anonymous"),
    "two words in one mark": mark(AS + b"Internal, Anonymous"),
    "mark with a comment": mark(AS + b"Internal (really)"),
    "mark in quotes": mark(AS + b'"Internal"'),
    "mark as an encoded word": mark(AS + b"=?utf-8?q?Anonymous?="),
    "mark in full-width letters": mark(AS + "Ｉｎｔｅｒｎａｌ".encode()),
    "mark with a zero width space": mark(AS + "Inter\u200bnal".encode()),
    "mark under another name": mark(b"X-MS-Exchange-Organization-AuthAs-Original: Internal"),
    "mark with an underscore in its name": mark(b"X_MS_Exchange_Organization_AuthAs: Internal"),
    "only the source of the mark": mark(b"X-MS-Exchange-Organization-AuthSource: AM0.prod.outlook.com"),
    "only the mechanism": mark(b"X-MS-Exchange-Organization-AuthMechanism: 04"),
    "cross-tenant mark only": mark(b"X-MS-Exchange-CrossTenant-AuthAs: Internal"),
    "cross-tenant mark with our tenant": mark(
        b"X-MS-Exchange-CrossTenant-AuthAs: Internal", b"X-MS-Exchange-CrossTenant-Id: our-tenant"
    ),
    "mark in the body": chain(UNMARKED, put((b"Your message to", AS + b"Internal\r\n\r\nYour message to"))),
    "mark in the returned headers": chain(
        UNMARKED, put((b"\r\nFrom: lena@", b"\r\n" + MARK + b"From: lena@"))
    ),
    "mark in the delivery status": chain(UNMARKED, put((b"Reporting-MTA:", MARK + b"Reporting-MTA:"))),
    "mark in the preamble": chain(UNMARKED, put((b"\r\n\r\n--b\r\n", b"\r\n\r\n" + MARK + b"--b\r\n"))),
    "mark inside the subject": chain(
        UNMARKED,
        put((b"Undeliverable: Offer", b"=?utf-8?q?x=0D=0AX-MS-Exchange-Organization-AuthAs:_Internal?=")),
    ),
    "postmaster of our domain": chain(UNMARKED, put((AUTHOR, b"postmaster@larkfield.example"))),
    "mailer-daemon of our domain": chain(UNMARKED, put((AUTHOR, b"mailer-daemon@larkfield.example"))),
    "our domain in the display name": chain(
        UNMARKED, put((b"Microsoft Outlook <" + AUTHOR, b'"postmaster@larkfield.example" <x@evil.example'))
    ),
    "a domain that looks like ours": chain(
        UNMARKED, put((b"@larkfield.example>", "@lаrkfield.example>".encode()))
    ),
    "a sub-domain of ours": chain(UNMARKED, put((AUTHOR, AUTHOR.replace(b"@", b"@mail.")))),
    "a domain that ends like ours": chain(UNMARKED, put((AUTHOR, AUTHOR.replace(b"@", b"@not")))),
    "two From fields": chain(
        UNMARKED, put((b"To: <lena", b"From: postmaster@larkfield.example\r\nTo: <lena"))
    ),
    "a foreign server reports": chain(UNMARKED, ANOTHER_FROM),
    "a foreign server with our Message-ID": chain(
        UNMARKED, ANOTHER_FROM, put((b"SERVER.prod.outlook.com", b"mx.evil.example"))
    ),
    "a foreign server on a mail nobody sent": chain(
        UNMARKED, ANOTHER_FROM, put((b"<mail.1@larkfield.example>", b"<guess@evil.example>"))
    ),
    "a foreign server on a stranger's mail": chain(
        UNMARKED, ANOTHER_FROM, put((b"From: lena@larkfield.example", b"From: eve@evil.example"))
    ),
    "a foreign server with a passing check": chain(
        mark(b"Authentication-Results: spf=pass; dkim=pass; dmarc=pass"), ANOTHER_FROM
    ),
    "DMARC failed beside a smuggled mark": mark(DMARC_FAILED, AS + b"Internal"),
    "SPF failed beside a smuggled mark": mark(
        b"Authentication-Results: spf=fail; dkim=none", AS + b"Internal"
    ),
    "composite check failed beside a smuggled mark": mark(
        b"Authentication-Results: dkim=none; compauth=fail reason=000", AS + b"Internal"
    ),
    "a passing check below the failing one": mark(
        DMARC_FAILED, b"Authentication-Results: dmarc=pass", AS + b"Internal"
    ),
    "a verdict in an address": mark(
        b"Authentication-Results: spf=fail smtp.mailfrom=dkim=pass;dmarc=fail", AS + b"Internal"
    ),
    "another tenant beside a smuggled mark": mark(b"X-MS-Exchange-CrossTenant-Id: evil", AS + b"Internal"),
    "two tenants beside a smuggled mark": mark(
        b"X-MS-Exchange-CrossTenant-Id: our-tenant", b"X-MS-Exchange-CrossTenant-Id: evil", AS + b"Internal"
    ),
    "a mark, but no sign of Exchange": chain(
        ANOTHER_FROM,
        put((b"X-MS-Exchange-Message-Is-Ndr:\r\n", b"")),
        put((b"Internal\r\n", b"Internal \r\n")),
    ),
    "forwarded by a stranger": wrap(b"eve@evil.example"),
    "forwarded by a stranger with a mark inside": wrap(b"eve@evil.example", AS + b"Anonymous"),
    "forwarded in a member's name, anonymous": wrap(b"lena@larkfield.example", AS + b"Anonymous"),
    "forwarded in a member's name, mark twice": wrap(
        b"lena@larkfield.example", AS + b"Internal", AS + b"Internal"
    ),
    "forwarded in a member's name, DMARC failed": wrap(
        b"lena@larkfield.example", DMARC_FAILED, AS + b"Anonymous"
    ),
    "forwarded from a domain like ours": wrap(b"lena@larkfield.example.evil.example"),
}


def test_there_are_at_least_forty_recipes() -> None:
    assert len(RECIPES) >= 40
    assert len({recipe(genuine()) for recipe in RECIPES.values()}) == len(RECIPES)


def test_the_genuine_report_is_believed(home: Home) -> None:
    """What the recipes start from alarms security: otherwise they would prove nothing."""
    home.deliver(genuine(), "1.mail")
    assert home.look().opened == [1]
    assert home.sent()


@pytest.mark.parametrize("name", RECIPES)
def test_a_forged_report_answers_nobody_and_alarms_nobody(open_home: Callable[..., Home], name: str) -> None:
    """Through the whole pipeline, with replies on and the default trust."""
    home = open_home(("[digest]", '[trust]\ntenant_id = "our-tenant"\n[digest]'))
    home.deliver(RECIPES[name](genuine()), "1.mail")
    result = home.look()
    assert (result.letters, result.opened, result.delivered.sent) == (0, [], 0)
    assert home.sent() == []
    assert result.messages == 1


def test_a_wave_of_forged_reports_answers_nobody_and_alarms_nobody(open_home: Callable[..., Home]) -> None:
    """Ten thousand forged blocked accounts: all are judged, the gate refuses each, and it is quick.

    Two hundred of them go through the whole pipeline, store and rules included.
    """
    policy = Policy(site=SITE, from_address="bounces@larkfield.example", mode=Mode.ON)
    recipes = list(RECIPES.values())
    readings = [read(recipe(genuine()))[0] for recipe in recipes]
    reports = [reading for reading in readings if isinstance(reading, Report)]
    assert len(reports) > 40
    begun, refused = time.perf_counter(), 0
    for number in range(10_000):
        report = replace(reports[number % len(reports)], fingerprint=str(number))
        assessed = assess_evidence(report, SITE)
        for bounce in judge(report, CATALOGUE, SITE):
            candidate = Candidate(
                kind=LetterKind.REPLY,
                to=bounce.sender,
                event_key=str(number),
                cause=bounce.cause,
                evidence=assessed.evidence,
                received_at=START,
            )
            verdict = check(candidate, Past(), policy, START)
            assert isinstance(verdict, Refused)
            assert assessed.evidence not in SITE.accepted_evidence
            refused += 1
    seconds = time.perf_counter() - begun
    print(f"{refused} refused in {seconds:.1f} s")
    assert refused >= 10_000

    home = open_home(("[digest]", '[trust]\ntenant_id = "our-tenant"\n[digest]'))
    for number in range(200):
        home.deliver(_forge(number), f"{number}.mail")
    result = home.look()
    assert (result.messages, result.letters, result.opened, home.sent()) == (200, 0, [], [])


def _forge(number: int) -> bytes:
    return UNMARKED(ndr(f"user{number}@larkfield.example", number=number, reply=BLOCKED, status="5.1.8"))


def _tier_of_genuine(report: Report) -> Evidence:
    """A forward by the person concerned is her word; everything else our Exchange wrote."""
    return Evidence.INTERNAL if report.forwarded_by is None else Evidence.MEMBER


def internal_samples() -> list[Path]:
    """Return our sample mails with exactly one internal mark."""
    return [
        mail
        for mail in sorted(SAMPLES.glob("*/*.eml"))
        if mail.read_bytes().partition(b"\n\n")[0].lower().count(b"organization-authas: internal") == 1
    ]


def test_every_genuine_internal_report_of_the_demo_is_accepted() -> None:
    """The sample week says which of its files are failures; those that are not planted forgeries count."""
    folder = shipped("data") / "demo"
    site = load_config(folder / "config.toml").site
    accepted = forged = 0
    for entry in json.loads((folder / "expected.json").read_text(encoding="utf-8"))["files"]:
        raw = (folder / entry["file"]).read_bytes()
        for reading in read(raw):
            if isinstance(reading, Report) and reading.kind is Kind.FAILURE:
                believed = assess_evidence(reading, site).evidence is _tier_of_genuine(reading)
                accepted += believed
                forged += not believed
                assert believed or b"AuthAs: Internal" not in raw, entry["file"]
    print(f"{accepted} accepted, {forged} not")
    assert accepted >= 60
    assert Authority.EXCHANGE_HEADERS is site.authority


def test_every_genuine_internal_report_of_the_samples_is_accepted() -> None:
    checked = 0
    for mail in internal_samples():
        for reading in read(mail.read_bytes()):
            if isinstance(reading, Report) and all(
                one.auth_as == ("Internal",) for one in reading.provenance
            ):
                domain = (reading.provenance[-1].from_address or "").rpartition("@")[2]
                site = Site(organisation="ours", accepted_domains=frozenset({domain}))
                assert assess_evidence(reading, site).evidence is _tier_of_genuine(reading), mail.name
                checked += 1
    assert checked >= 3
    assert Cause.SENDER_BLOCKED in {bounce.cause for bounce in judge(_read(genuine()), CATALOGUE, SITE)}


def _read(mail: bytes) -> Report:
    (reading,) = read(mail)
    assert isinstance(reading, Report)
    return reading


def test_a_wave_a_day_later_does_not_move_a_threshold_either(home: Home) -> None:
    """Forged bounces of several senders stand beside genuine ones and are not counted with them."""
    for number in range(3):
        home.deliver(_forge(number), f"{number}.mail")
    home.look()
    home.clock.now += timedelta(days=1)
    assert home.look().opened == []
