"""What odd and busy submission servers do, said by a scripted server."""

import hmac
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bounce_watch.config.accounts import SmtpSettings
from bounce_watch.send import Outcome
from bounce_watch.send.smtp.replies import Step, judge
from bounce_watch.send.smtp.sender import SmtpSender
from tests.servers.scripted_smtp import HANG_UP, ScriptedSmtp, SmtpScript

HELP, ALICE, USER = "help@contoso.example", "alice@contoso.example", "bounces@contoso.example"
MAIL = b"From: help@contoso.example\r\nTo: alice@contoso.example\r\n\r\nhello\r\n"
SECRET = "pässwörd€"
HASH = hmac.new(SECRET.encode(), b"<1.2@contoso>", "md5").hexdigest()
Start = Callable[..., SmtpSender]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(script: SmtpScript, **wishes: object) -> SmtpSender:
            server = stack.enter_context(ScriptedSmtp(script))
            known = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout_seconds": 3}
            account = {"user": USER, "auth": "password"}
            settings = SmtpSettings.model_validate(known | account | wishes)
            return SmtpSender(settings, lambda: SECRET, HELP)

        yield begin


def sign_in(mechanism: str, otherwise: str) -> Callable[[SmtpScript, str], str]:
    """Return an answer to AUTH that accepts one mechanism only."""

    def answer(script: SmtpScript, line: str) -> str:
        if f"AUTH {mechanism}" not in line:
            return otherwise
        return {"PLAIN": "235 welcome", "LOGIN": "334 VXNlcm5hbWU6", "CRAM-MD5": "334 PDEuMkBjb250b3NvPg=="}[
            mechanism
        ]

    return answer


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("offered", "mechanism", "last"),
    [
        ("AUTH PLAIN LOGIN CRAM-MD5", "LOGIN", encoded(SECRET)),
        ("AUTH CRAM-MD5 LOGIN", "LOGIN", encoded(SECRET)),
        ("AUTH=PLAIN LOGIN", "PLAIN", f"AUTH PLAIN {encoded(f'{chr(0)}{USER}{chr(0)}{SECRET}')}"),
        ("AUTH PLAIN CRAM-MD5", "CRAM-MD5", encoded(f"{USER} {HASH}")),
    ],
)
@pytest.mark.parametrize("refusal", ["535 5.7.8 no", "504 5.5.4 unknown mechanism", "534 5.7.9 too weak"])
def test_a_sign_in_that_is_offered_and_refused_is_followed_by_the_next(
    start: Start, offered: str, mechanism: str, last: str, refusal: str
) -> None:
    """In UTF-8, which RFC 4616 wants and smtplib cannot send."""
    script = SmtpScript(extensions=(offered,), replies={"AUTH": sign_in(mechanism, refusal)})
    for words in (encoded(USER), encoded(SECRET), last):
        script.replies.setdefault(
            words.upper(), "334 UGFzc3dvcmQ6" if words == encoded(USER) else "235 welcome"
        )
    script.replies["AUTH"] = sign_in(mechanism, refusal)
    with start(script) as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
    assert last in script.lines


def test_a_hash_that_is_forbidden_here_is_cancelled(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """FIPS knows no MD5; there a sign-in failed as if the connection were lost."""

    def forbidden(*_: object) -> None:
        raise ValueError("unsupported")

    monkeypatch.setattr(hmac, "HMAC", forbidden)
    script = SmtpScript(
        extensions=("AUTH CRAM-MD5",), replies={"AUTH": "334 PDEuMkBjb250b3NvPg==", "*": "501 cancelled"}
    )
    with start(script) as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.STOP
    assert "*" in script.lines


def test_a_wrong_password_is_told_before_an_unknown_mechanism(start: Start) -> None:
    refusals = iter(["504 5.5.4 unknown", "535 5.7.8 wrong password"])
    script = SmtpScript(extensions=("AUTH PLAIN LOGIN",), replies={"AUTH": lambda *_: next(refusals)})
    with start(script) as sender:
        assert "wrong password" in sender.send(ALICE, MAIL).reply


def test_a_sign_in_that_fails_for_now_is_not_tried_in_other_ways(start: Start) -> None:
    script = SmtpScript(extensions=("AUTH PLAIN LOGIN",), replies={"AUTH": "454 4.7.0 later"})
    with start(script) as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.LATER
    assert sum(line.startswith("AUTH") for line in script.lines) == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", ["421 4.7.0 too many messages in this connection", HANG_UP])
def test_a_server_that_takes_few_mails_per_connection_gets_the_next_over_a_new_one(
    start: Start, verb: str, reply: str
) -> None:
    """The mail that met the 421 waited for a minute or two."""

    def answer(script: SmtpScript, line: str) -> str:
        count = sum(one.startswith(verb) for one in script.heard[-1])
        return reply if count > 2 else "354 go on" if verb == "DATA" else "250 ok"

    script = SmtpScript(replies={verb: answer})
    with start(script, auth="none") as sender:
        assert [sender.send(ALICE, MAIL).outcome for _ in range(5)] == [Outcome.SENT] * 5
    assert len(script.accepted) == 5
    assert len(script.heard) == 3


def test_a_new_connection_that_is_closed_at_once_is_not_followed_by_another(start: Start) -> None:
    script = SmtpScript(replies={"MAIL": "421 4.3.2 closing"})
    with start(script, auth="none") as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.LATER
    assert len(script.heard) == 1


def test_a_mail_above_the_size_that_the_server_takes_is_not_offered(start: Start) -> None:
    """And it stops nothing but itself."""
    script = SmtpScript(extensions=("SIZE 20",))
    with start(script, auth="none") as sender:
        delivery = sender.send(ALICE, MAIL)
    assert delivery.outcome is Outcome.FAILED
    assert "20 bytes" in delivery.reply
    assert not script.accepted


@pytest.mark.parametrize(
    "reply", ["554 5.3.4 Message size exceeds fixed limit", "550 5.2.3 too big", "552 too big"]
)
def test_a_size_that_is_refused_at_mail_stops_no_other(start: Start, reply: str) -> None:
    with start(SmtpScript(replies={"MAIL": reply}), auth="none") as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.FAILED


def test_a_server_that_does_not_know_ehlo_gets_helo(start: Start) -> None:
    script = SmtpScript(replies={"EHLO": "502 5.5.1 not implemented"})
    with start(script, auth="none") as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize("code", [421, 450, 451, 452, 454])
def test_a_temporary_refusal_at_any_verb_is_temporary(start: Start, verb: str, code: int) -> None:
    script = SmtpScript(extensions=("AUTH PLAIN",), replies={verb: f"{code} 4.3.0 not now"})
    with start(script) as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.LATER


@pytest.mark.parametrize(
    ("step", "code", "words", "is_about_one"),
    [
        (Step.RECIPIENT, 450, b"4.7.1 Greylisted, try again in 300 seconds", True),
        (Step.RECIPIENT, 451, b"4.2.2 mailbox full", True),
        (Step.CONTENT, 451, b"4.7.1 graylisting in action", True),
        (Step.CONTENT, 451, b"4.3.0 queue file write error", False),
        (Step.SENDER, 450, b"4.1.8 not now", False),
        (Step.RECIPIENT, 421, b"4.7.0 closing", False),
        (Step.RECIPIENT, 452, b"4.5.3 too many recipients", False),
        (Step.RECIPIENT, 450, b"4.7.1 rate exceeded", False),
        (Step.CONTENT, 432, b"4.3.2 Concurrent connections limit exceeded", False),
    ],
)  # fmt: skip
def test_greylisting_is_about_one_recipient_and_throttling_about_all(
    step: Step, code: int, words: bytes, is_about_one: bool
) -> None:
    delivery = judge(step, code, words)
    assert delivery.outcome is Outcome.LATER
    assert delivery.is_about_one is is_about_one


@pytest.mark.parametrize(
    ("verb", "reply"),
    [
        ("RCPT", "251 user not local; will forward"),
        ("RCPT", "252 cannot verify"),
        ("END", "251 taken"),
        ("END", "250"),
        ("END", "250-2.0.0 queued\r\n250 as 7"),
        ("GREETING", "220-no spam here\r\n220 ready"),
    ],
)
def test_each_way_to_say_yes_is_understood(start: Start, verb: str, reply: str) -> None:
    script = SmtpScript(replies={verb: reply})
    with start(script, auth="none") as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
    assert len(script.accepted) == 1


@pytest.mark.parametrize(
    ("verb", "outcome"), [("GREETING", Outcome.LATER), ("RCPT", Outcome.LATER), ("END", Outcome.UNKNOWN)]
)
def test_a_tarpit_is_left_in_time(start: Start, verb: str, outcome: Outcome) -> None:
    """What it may have taken is looked for before it is sent again."""

    def late(*_: object) -> str:
        time.sleep(0.5)
        return "250 ok"

    script = SmtpScript(replies={verb: late})
    with start(script, auth="none", timeout_seconds=0.2) as sender:
        assert sender.send(ALICE, MAIL).outcome is outcome


def test_a_sign_in_that_is_offered_after_tls_only_is_told_so(start: Start) -> None:
    with start(SmtpScript(extensions=("STARTTLS",))) as sender:
        delivery = sender.send(ALICE, MAIL)
    assert delivery.outcome is Outcome.STOP
    assert "security" in delivery.repair
