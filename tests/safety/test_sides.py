"""What only Exchange Online can say about us counts from its own mouth; a remote server only refuses.

Anybody who runs a mail server chooses the words of its replies, and our own Exchange reports them in a
genuine report. Codes and words of Exchange Online in such a reply open nothing and put no word about
Microsoft, our admins or our own mail system into a letter.
"""

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message

import pytest

from bounce_watch.classify import Row, judge, load_catalogue
from bounce_watch.detect import Rule, Shape, load_rules
from bounce_watch.detect.threshold import key_of
from bounce_watch.model import (
    EXCHANGE_ONLINE_DECIDES,
    Bounce,
    Cause,
    Event,
    Evidence,
    Owner,
    Report,
    Side,
    Site,
)
from bounce_watch.parse import read
from bounce_watch.shipped_files import data_file
from tests.pipeline.conftest import START, Home, Refusal, ndr

CATALOGUE = load_catalogue(data_file("codes.toml").read_text(encoding="utf-8"))
RULES = load_rules(data_file("rules.toml").read_text(encoding="utf-8"))
SITE = Site(organisation="Larkfield", accepted_domains=frozenset({"larkfield.example"}))
EVIL = "mx.evil.example"
OUTBOUND = "mail-am6eur05on2071.outbound.protection.outlook.com"
WORDS = {
    "5.1.8": "Access denied, bad outbound sender AS(42004)",
    "5.2.0": "STOREDRV.Submit; SubmissionQuotaExceededException",
    "5.2.2": "SubmissionQuotaExceededException; sender's submission quota was exceeded",
    "5.7.30": "Basic authentication is not supported for Client Submission",
    "5.7.57": "SMTP; Client was not authenticated to send anonymous mail during MAIL FROM",
    "5.7.64": "TenantAttribution; Relay Access Denied",
    "5.7.501": "Service unavailable. Access denied, spam abuse detected. AS(30501)",
    "5.7.502": "Access denied, banned sender",
    "5.7.520": "Access denied, Your organization does not allow external forwarding. AS(7555)",
    "5.7.705": "Service unavailable. Access denied, tenant has exceeded threshold. AS(7205)",
    "5.7.708": "Service unavailable. Access denied, traffic not accepted from this IP. AS(7230)",
    "5.7.750": "Service unavailable. Client blocked from sending from unregistered domains",
}
PHRASES = [
    "550 Access denied, bad outbound sender AS(42004)",
    "550 SubmissionQuotaExceededException",
    "550 Your organization does not allow external forwarding",
    "550 Access denied, tenant has exceeded threshold",
]
SPEAKS_FOR_US = re.compile(r"Microsoft|(?i:our (?:own )?(?:IT team|mail system|organi[sz]ation|security))")
SHAPES: dict[str, Callable[[str], str]] = {
    "bare": lambda reply: reply,
    "wrapped": lambda reply: f"550 5.0.350 Remote server returned an error -> {reply}",
    "wrapped in itself": lambda reply: f"{reply} -> {reply}",
    "with Microsoft's server name": lambda reply: f"{reply} [AM0PR04MB5678.eurprd04.prod.outlook.com]",
}


def own_rows() -> list[Row]:
    """Return the rows that only Exchange Online can mean."""
    return [row for row in CATALOGUE.rows if row.side is Side.OURS]


def own_replies() -> list[str]:
    codes = dict.fromkeys(row.code.split("-")[0] for row in own_rows() if row.code)
    return [f"550 {code} {WORDS.get(code, 'Access denied')}" for code in codes] + PHRASES


def fired_by_a_remote_word(rule: Rule) -> Iterator[str]:
    """Yield the rows that would open the rule's incident when one remote server says them once."""
    if rule.shape is not Shape.COUNT or rule.open_at > 1:
        return
    for row in CATALOGUE.rows:
        code = row.code.replace("x", "5").split("-")[0] if row.span and row.code else None
        event = Event(
            bounce_id=1, message_id=1, occurred_at=START, cause=row.cause, status=code, side=Side.THEIRS,
            evidence=Evidence.INTERNAL, sender="lena@larkfield.example", sender_domain="larkfield.example",
            recipient="x@evil.example", recipient_domain="evil.example",
        )  # fmt: skip
        if key_of(rule, event, frozenset({Evidence.INTERNAL})) is not None:
            yield f"{rule.id} on {row.name}"


def test_no_rule_opens_on_one_remote_servers_word() -> None:
    """The list names each rule, and the row of the catalogue whose words would do it."""
    assert [found for rule in RULES for found in fired_by_a_remote_word(rule)] == []


def test_every_row_about_what_exchange_online_decides_has_our_side() -> None:
    rows = [row for row in CATALOGUE.rows if row.cause in EXCHANGE_ONLINE_DECIDES]
    assert len(rows) > 15
    assert [row.name for row in rows if row.side is not Side.OURS] == []


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("remote", [EVIL, "fabrikam-example.mail.protection.outlook.com"])
def test_from_a_remote_server_the_words_are_its_own_refusal(shape: str, remote: str) -> None:
    for reply in own_replies():
        bounce = judged(SHAPES[shape](reply), remote)
        assert bounce.side is Side.THEIRS
        assert bounce.cause not in EXCHANGE_ONLINE_DECIDES, reply
        assert bounce.owner is not Owner.SECURITY, reply


@pytest.mark.parametrize("remote", [None, OUTBOUND])
def test_from_our_own_exchange_online_they_count(remote: str | None) -> None:
    """It refuses before a remote server is reached, or its outbound server does."""
    causes = {judged(reply, remote).cause for reply in own_replies()}
    assert causes >= EXCHANGE_ONLINE_DECIDES


def test_our_own_tenants_mx_is_ours_and_another_tenants_is_not() -> None:
    """A mail server of ours in our rooms hands its mail to our tenant, which refuses it (5.7.64)."""
    reply = "550 5.7.64 TenantAttribution; Relay Access Denied"
    for remote, side in (("larkfield", Side.OURS), ("fabrikam", Side.THEIRS)):
        bounce = judged(reply, f"{remote}-example.mail.protection.outlook.com")
        assert (bounce.side, bounce.cause) == (side, Cause.RELAY_DENIED)


def test_a_stranger_who_names_our_server_speaks_for_itself() -> None:
    """The report is a foreign server's: what it says that Microsoft's or our server said is hearsay."""
    for remote in (OUTBOUND, "mail.larkfield.example"):
        mail = ndr(reply="550 5.7.705 Access denied", status="5.7.705", remote=remote)
        mail = mail.replace(b"SERVER.prod.outlook.com", EVIL.encode())
        mail = re.sub(rb"From: Microsoft Outlook <[^>]+>", b"From: MAILER-DAEMON@evil.example", mail)
        assert judged_mail(mail).cause is Cause.POLICY_REJECTED


def test_a_remote_host_on_a_line_of_its_own_has_spoken() -> None:
    """Forwarded as text, the report names the remote server only on the line before its reply."""
    text = "Delivery has failed to these recipients or groups:\n\nx@evil.example\n\n{section}\n\n"
    text += "Generating server: AM0PR04MB5678.eurprd04.prod.outlook.com\n\nx@evil.example\n{host}"
    text += "Remote Server returned '550 5.1.8 Access denied, bad outbound sender AS(42004)'\n"
    head = (
        "From: postmaster@larkfield.example\nSubject: Undeliverable: Offer\nAuto-Submitted: auto-replied\n\n"
    )
    section = "Diagnostic information for administrators:"
    for host, cause in ((f"{EVIL}\n", Cause.SENDER_REJECTED), ("", Cause.SENDER_BLOCKED)):
        mail = (head + text.format(section=section, host=host)).encode()
        assert judged_mail(mail).cause is cause


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["bare", "wrapped"])
def test_no_incident_and_no_letter_that_speaks_for_microsoft_or_our_admins(
    open_home: Callable[..., Home], shape: str
) -> None:
    """Each sender and each domain occurs once: only the words could open an incident."""
    home = open_home(("settle_seconds = 0", "settle_seconds = 0\nper_minute = 200\nper_hour = 200"))
    for number, reply in enumerate(own_replies()):
        said = Refusal(reply=SHAPES[shape](reply), status=reply.split()[1] if reply[4].isdigit() else "5.0.0")
        mail = ndr(f"user{number}@larkfield.example", f"x@evil{number}.example", number=number, **said)
        home.deliver(mail.replace(b"mx.fabrikam.example", EVIL.encode()), f"{number}.mail")
    result = home.look()
    letters = [message_from_bytes(content) for content in home.sent()]
    print(f"{result.messages} reports, {len(result.opened)} incidents, {len(letters)} letters")
    assert (result.messages, result.opened, len(letters)) == (len(own_replies()), [], result.messages)
    for letter in letters:
        assert SPEAKS_FOR_US.search(own_words(letter)) is None, own_words(letter)


def own_words(letter: Message) -> str:
    """Return the text of a letter before the remote server's words, which it quotes as such."""
    part = next(part for part in letter.walk() if part.get_content_type() == "text/plain")
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().partition("Details")[0]


def judged(reply: str, remote: str | None) -> Bounce:
    """Judge a genuine report of our Exchange about this reply."""
    status = reply.split()[1] if reply[4].isdigit() else "5.0.0"
    return judged_mail(ndr(reply=reply, status=status, remote=remote))


def judged_mail(mail: bytes) -> Bounce:
    (report,) = read(mail)
    assert isinstance(report, Report)
    (bounce,) = judge(report, CATALOGUE, SITE)
    return bounce
