"""Our own signature on returned headers, with keys of our own in a name server of our own."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bounce_watch.classify import assess_evidence
from bounce_watch.config.load import read_config
from bounce_watch.explain.trace import trace
from bounce_watch.model import Evidence, Report, Signature
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.parse import read
from bounce_watch.pipeline.context import signatures_of
from bounce_watch.pipeline.dkim import KeyUnavailable, SignatureChecker, key_finder
from bounce_watch.pipeline.ingest.message import ingest_messages
from bounce_watch.source.interface import Message
from tests.classify.reports import CATALOGUE
from tests.pipeline.conftest import CONFIG, Home
from tests.servers.names import NameServer

OURS, SELECTOR = "larkfield.example", "selector1"
NAME = f"{SELECTOR}._domainkey.{OURS}"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
RECORD = f"v=DKIM1; k=rsa; p={PUBLIC}"
MAIL = (
    b"From: Lena <lena@larkfield.example>\r\nTo: nobody@fabrikam.example\r\nSubject: Offer\r\n"
    b"Date: Mon, 23 Nov 2026 08:58:00 +0000\r\nMessage-ID: <guess.1@elsewhere.example>\r\n\r\nDear all,\r\n"
)
Change = Callable[[bytes], bytes]


def signed(domain: str = OURS, canonical: bytes = b"relaxed", mail: bytes = MAIL) -> bytes:
    """Return the mail with a signature, as it left our servers."""
    field = dkim.sign(mail, SELECTOR.encode(), domain.encode(), PRIVATE, canonicalize=(canonical, canonical))
    return bytes(field) + mail


def returned(mail: bytes, *, whole: bool = False) -> bytes:
    """Return a foreign server's report that returns a mail, or only its headers as most do."""
    kind = "message/rfc822" if whole else "text/rfc822-headers"
    content = mail if whole else mail.partition(b"\r\n\r\n")[0] + b"\r\n"
    head = (
        "From: MAILER-DAEMON@mx.fabrikam.example\r\nTo: lena@larkfield.example\r\nSubject: Undelivered\r\n"
        "Date: Mon, 23 Nov 2026 08:59:00 +0000\r\nMessage-ID: <r1@mx.fabrikam.example>\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;mx.fabrikam.example\r\n\r\n"
        "Final-Recipient: rfc822;nobody@fabrikam.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp;550 5.1.1 no such user\r\n\r\n--b\r\n"
        f"Content-Type: {kind}\r\n\r\n"
    )
    return head.encode() + content + b"\r\n--b--\r\n"


def report(raw: bytes) -> Report:
    (reading,) = read(raw)
    assert isinstance(reading, Report)
    return reading


def table(records: dict[str, str]) -> SignatureChecker:
    def find_key(name: str) -> bytes | None:
        text = records.get(name)
        return text.encode() if text else None

    return SignatureChecker({OURS}, find_key)


CHECKER = table({NAME: RECORD, f"{SELECTOR}._domainkey.evil.example": RECORD})


def outcome(raw: bytes, checker: SignatureChecker = CHECKER) -> Signature:
    checked = checker.checked(report(raw))
    assert isinstance(checked, Report)
    return checked.original.signature


def put(old: bytes, new: bytes) -> Change:
    def change(mail: bytes) -> bytes:
        assert old in mail
        return mail.replace(old, new, 1)

    return change


@pytest.mark.parametrize("whole", [True, False], ids=["whole mail", "headers only"])
@pytest.mark.parametrize("canonical", [b"relaxed", b"simple"], ids=["relaxed", "simple"])
@pytest.mark.parametrize("ends", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
def test_our_signature_holds_without_the_body(whole: bool, canonical: bytes, ends: bytes) -> None:
    raw = returned(signed(canonical=canonical), whole=whole).replace(b"\r\n", ends)
    assert outcome(raw) is Signature.VALID


CHANGES: dict[str, tuple[Change, Signature]] = {
    "a header that is not signed was added": (lambda m: b"Received: from x by y\r\n" + m, Signature.VALID),
    "an empty signature of ours above the good one": (
        lambda m: b"DKIM-Signature: v=1; d=larkfield.example; s=selector1; b=\r\n" + m,
        Signature.VALID,
    ),
    "another subject": (put(b"Subject: Offer", b"Subject: Other"), Signature.INVALID),
    "another author": (put(b"<lena@", b"<omar@"), Signature.INVALID),
    "a second author": (put(b"From: Lena", b"From: omar@larkfield.example\r\nFrom: Lena"), Signature.INVALID),
    "a second subject above": (lambda m: b"Subject: Pay now\r\n" + m, Signature.INVALID),
    "a second subject with a space": (lambda m: b"SUBJECT : Pay now\r\n" + m, Signature.INVALID),
    "a second Message-ID": (lambda m: b"Message-ID: <x@evil.example>\r\n" + m, Signature.INVALID),
    "another recipient": (put(b"nobody@", b"somebody@"), Signature.INVALID),
    "another date": (put(b"23 Nov", b"24 Nov"), Signature.INVALID),
    "another sender in the Return-Path": (
        lambda m: b"Return-Path: <omar@larkfield.example>\r\n" + m,
        Signature.INVALID,
    ),
    "another body hash": (put(b"bh=", b"bh=AA"), Signature.INVALID),
    "a broken signature": (put(b" b=", b" b=BBBB"), Signature.INVALID),
    "a selector without a key": (put(b"s=selector1", b"s=selector2"), Signature.INVALID),
    "a selector that is no host label": (put(b"s=selector1", b"s=a b"), Signature.ABSENT),
    "our domain in another tag": (put(b" d=", b" z=d=larkfield.example; e="), Signature.ABSENT),
    "no signature at all": (lambda m: m[m.index(b"From:") :], Signature.ABSENT),
    "an unfinished signature": (put(b" a=", b" q="), Signature.INVALID),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_on_the_way_shows(name: str) -> None:
    change, expected = CHANGES[name]
    assert outcome(returned(change(signed()))) is expected


@pytest.mark.parametrize("left_out", [b"subject", b"message-id"])
def test_a_signature_that_leaves_a_field_open_proves_nothing(left_out: bytes) -> None:
    """It stays valid whatever stands in that field."""
    covered = [name for name in (b"from", b"to", b"subject", b"date", b"message-id") if name != left_out]
    field = dkim.sign(MAIL, SELECTOR.encode(), OURS.encode(), PRIVATE, include_headers=covered)
    assert outcome(returned(bytes(field) + MAIL)) is Signature.INVALID


@pytest.mark.parametrize("domain", ["evil.example", "mail.larkfield.example", "notlarkfield.example"])
def test_only_our_own_domains_are_asked_for(domain: str) -> None:
    """A valid signature of an external domain proves nothing, and its key is not even looked up."""
    asked: list[str] = []

    def find_key(name: str) -> bytes | None:
        asked.append(name)
        return RECORD.encode()

    assert outcome(returned(signed(domain)), SignatureChecker({OURS}, find_key)) is Signature.ABSENT
    assert asked == []


def test_at_most_three_signatures_are_tried() -> None:
    asked: list[str] = []
    fields = b"".join(
        b"DKIM-Signature: v=1; d=larkfield.example; s=s%d; b=x\r\n" % number for number in range(50)
    )
    checker = SignatureChecker({OURS}, asked.append)
    assert outcome(returned(fields + signed()), checker) is Signature.INVALID
    assert len(asked) == 3


def test_a_key_is_asked_for_once_an_hour_and_a_silent_server_rests() -> None:
    """Mail does not wait for the name server again and again."""
    now, asked, away = [0.0], [], [False]

    def find_key(name: str) -> bytes | None:
        asked.append(name)
        if away[0]:
            raise KeyUnavailable
        return RECORD.encode()

    checker = SignatureChecker({OURS}, find_key, lambda: now[0])
    raw = returned(signed())
    assert [outcome(raw, checker) for _ in range(3)] == [Signature.VALID] * 3
    assert len(asked) == 1
    now[0], away[0] = 3600.0, True
    assert [outcome(raw, checker) for _ in range(3)] == [Signature.UNKNOWN] * 3
    assert len(asked) == 2
    now[0], away[0] = 3660.0, False
    assert outcome(raw, checker) is Signature.VALID
    assert len(asked) == 3


def test_a_flood_of_selectors_fills_no_memory() -> None:
    """Of 600 keys at most 256 are kept: the older ones are asked for again."""
    asked: list[str] = []
    checker = SignatureChecker({OURS}, asked.append)
    headers = [f"DKIM-Signature: v=1; d={OURS}; s=s{number}; b=x\r\n" for number in range(600)]
    for header in headers:
        checker.check(header)
    assert len(asked) == 600
    kept = 0
    for header in reversed(headers):  # the newest first, until one is asked for again
        checker.check(header)
        if len(asked) > 600:
            break
        kept += 1
    assert 0 < kept <= 256


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("DKIM-Signature: " + " \t" * 15_000 + "d=", id="blanks"),
        pytest.param(f"DKIM-Signature: v=1; d={OURS}; s=s;" + " b" * 15_000, id="words"),
        pytest.param(f"DKIM-Signature: v=1; d={OURS}; s=selector1; h=" + ":from" * 6_000, id="fields"),
        pytest.param("DKIM-Signature: d=;" * 1_500, id="tags"),
        pytest.param("\n".join([f"DKIM-Signature: d={OURS}; s=selector1"] * 600), id="many"),
    ],
)
def test_hostile_headers_cost_little_time(block: str) -> None:
    started = time.process_time()
    assert CHECKER.check(block[:32_768]) in {Signature.INVALID, Signature.ABSENT}
    assert time.process_time() - started < 1


@pytest.fixture
def names() -> Iterator[NameServer]:
    with NameServer({NAME: [RECORD[:200], RECORD[200:]]}) as server:
        yield server


def test_keys_come_from_the_dns(names: NameServer) -> None:
    """A record in two strings, a name that is not there, and a server that says nothing."""
    find_key = key_finder(0.2, [f"127.0.0.1:{names.port}"])
    assert find_key(NAME) == RECORD.encode()
    assert find_key(f"none._domainkey.{OURS}") is None
    names.silent.add(NAME)
    started = time.monotonic()
    with pytest.raises(KeyUnavailable):
        find_key(NAME)
    assert time.monotonic() - started < 10
    assert names.asked[NAME] >= 2


def test_a_signature_makes_a_foreign_report_correlated_and_explain_says_so(
    open_home: Callable[..., Home],
) -> None:
    """The Message-ID is none of ours: nothing else proves that we sent the mail."""
    home = open_home()
    raw = returned(signed())
    assert assess_evidence(report(raw), home.context.site).evidence is Evidence.UNVERIFIED
    (told,) = trace(raw, CATALOGUE, home.context.site, CHECKER.checked)
    assert told.evidence is Evidence.CORRELATED
    assert ("our DKIM signature on the mail", "valid") in told.tests
    forged = returned(put(b"Subject: Offer", b"Subject: Forged")(signed()))
    (told,) = trace(forged, CATALOGUE, home.context.site, CHECKER.checked)
    assert (told.evidence, dict(told.tests)["our DKIM signature on the mail"]) == ("unverified", "invalid")


@pytest.mark.parametrize(("wanted", "evidence"), [(True, "correlated"), (False, "unverified")])
def test_the_house_checks_where_the_site_asks_for_it(
    open_home: Callable[..., Home], wanted: bool, evidence: str
) -> None:
    home = open_home()
    context = replace(home.context, signatures=CHECKER if wanted else None)
    raw = returned(signed())
    place = MessageLocation(mailbox="m", validity=1, uid="1")
    message = Message(location=place, raw=raw, size=len(raw), received_at=home.clock.now)
    (intake,) = ingest_messages(context, [(message, context.reader.read(raw))])
    assert intake.bounces == 1
    detail = home.context.store.history.show(1)
    assert json.dumps(str(detail)).count(f"'{evidence}'") >= 1
    assert ("our DKIM signature on the mail", "valid" if wanted else "not checked") in detail.report.tests


def test_it_is_off_unless_the_configuration_asks(tmp_path: Path) -> None:
    assert signatures_of(read_config(CONFIG.encode(), tmp_path / "config.toml")) is None
    asking = CONFIG.replace("[digest]", "[trust]\ndkim = true\n[digest]")
    assert signatures_of(read_config(asking.encode(), tmp_path / "config.toml")) is not None
