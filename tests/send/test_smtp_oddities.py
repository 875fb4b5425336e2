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
from tests.servers.scripted_smtp import HANG_UP, Reply, ScriptedSmtp, SmtpScript

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


LONG = "x" * 100_000
CLOSING = "421 4.4.2 timeout exceeded"


@pytest.mark.parametrize(
    ("replies", "extensions"),
    [
        pytest.param({"GREETING": "220 proxy\r\n220 ready"}, ("AUTH PLAIN",), id="two greetings"),
        pytest.param({"GREETING": "Proxy ready\r\n220 ready"}, ("AUTH PLAIN",), id="a banner"),
        pytest.param({"GREETING": f"220-{LONG}\r\n220 ready"}, ("AUTH PLAIN",), id="a long greeting"),
        pytest.param({"GREETING": "220"}, ("AUTH PLAIN",), id="a greeting without a text"),
        pytest.param({"EHLO": f"250-{LONG}\r\n250-aUtH  plain \r\n250 size"}, (), id="a long list"),
        pytest.param({"EHLO": "250-me\r\n250-AUTH\tPLAIN\r\n250-SIZE\r\n250 "}, (), id="a tab"),
        pytest.param({"EHLO": "250-me\n250-auth=login plain\n250 SIZE 0"}, (), id="the old form"),
        pytest.param({"MAIL": f"250 {LONG}"}, ("AUTH PLAIN",), id="a long yes"),
        pytest.param({"RCPT": "250 \udcff\udcfe"}, ("AUTH PLAIN",), id="eight bits"),
        pytest.param({"RCPT": "250"}, ("AUTH PLAIN",), id="no text"),
        pytest.param({"DATA": "354"}, ("AUTH PLAIN",), id="no text to go on"),
        pytest.param({"END": f"250-{LONG}\r\n250 queued"}, ("AUTH PLAIN",), id="a long thanks"),
        pytest.param({"END": "warning: slow disk\r\n250 queued"}, ("AUTH PLAIN",), id="a stray line"),
        pytest.param({"QUIT": HANG_UP}, ("AUTH PLAIN",), id="no goodbye"),
        pytest.param({"RSET": "502 unknown"}, ("AUTH PLAIN",), id="no RSET"),
        pytest.param({}, ("AUTH PLAIN", "SIZE 1048576", "PIPELINING", "CHUNKING"), id="much on offer"),
    ],
)
@pytest.mark.parametrize("drips", [False, True])
def test_odd_replies_cost_no_mail(
    start: Start, replies: dict[str, Reply], extensions: tuple[str, ...], drips: bool
) -> None:
    is_long = LONG in str(replies)
    script = SmtpScript(replies=replies, extensions=extensions, drips=drips and not is_long)
    with start(script) as sender:
        assert [sender.send(ALICE, MAIL).outcome for _ in range(2)] == [Outcome.SENT] * 2
    assert len(script.accepted) == 2


@pytest.mark.parametrize("reply", [HANG_UP, "421 4.7.0 closing", f"250-{LONG}\r\n" * 3])
@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "END"])
def test_a_connection_that_breaks_costs_no_mail(start: Start, verb: str, reply: str) -> None:
    """What is cut within the content is looked for before it is sent again."""
    script = SmtpScript(extensions=("AUTH PLAIN",), replies={verb: reply})
    with start(script, timeout_seconds=0.2) as sender:
        outcome = sender.send(ALICE, MAIL).outcome
    is_unknown = verb == "END" and reply != "421 4.7.0 closing"
    assert outcome is (Outcome.UNKNOWN if is_unknown else Outcome.LATER)


def test_a_reply_out_of_turn_ends_the_connection(start: Start) -> None:
    """250 to DATA: the server may wait for content, or for a command."""
    script = SmtpScript(replies={"DATA": "250 ok"})
    with start(script, auth="none") as sender:
        assert [sender.send(ALICE, MAIL).outcome for _ in range(2)] == [Outcome.LATER] * 2
    assert len(script.heard) == 2
    assert not [line for line in script.lines if line.startswith("RSET")]


@pytest.mark.parametrize("refusal", [HANG_UP, f"{CLOSING}\r\n", "535 5.7.8 no"])
def test_a_sign_in_at_which_the_server_hangs_up_is_followed_by_the_next(start: Start, refusal: str) -> None:
    """It is offered and broken: each mail waited for ever."""

    def answer(script: SmtpScript, line: str) -> str:
        return "334 VXNlcm5hbWU6" if "LOGIN" in line else refusal

    replies: dict[str, Reply] = {
        "AUTH": answer, encoded(USER).upper(): "334 UGFzc3dvcmQ6", encoded(SECRET).upper(): "235 welcome",
        "NOOP": "421 bye",
    }  # fmt: skip
    script = SmtpScript(extensions=("AUTH PLAIN LOGIN",), replies=replies)
    with start(script) as sender:
        assert sender.send(ALICE, MAIL).outcome is (
            Outcome.LATER if refusal.startswith("421") else Outcome.SENT
        )


def test_what_is_no_smtp_is_told_in_its_words(start: Start) -> None:
    with start(SmtpScript(replies={"GREETING": "* OK IMAP ready"}), timeout_seconds=0.2) as sender:
        assert "* OK IMAP ready" in sender.send(ALICE, MAIL).reply


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("454 4.7.0 TLS not available", Outcome.LATER),
        ("501 5.5.4 no", Outcome.STOP),
        (HANG_UP, Outcome.LATER),
    ],
)
def test_a_starttls_that_is_refused_sends_nothing_in_the_clear(
    start: Start, reply: str, outcome: Outcome
) -> None:
    script = SmtpScript(extensions=("STARTTLS", "AUTH PLAIN"), replies={"STARTTLS": reply})
    with start(script, security="starttls") as sender:
        assert sender.send(ALICE, MAIL).outcome is outcome
    assert [line.split(" ")[0].upper() for line in script.lines] == ["EHLO", "STARTTLS"]


def test_a_connection_that_the_server_ended_while_idle_is_no_failure(start: Start) -> None:
    script = SmtpScript(replies={"RSET": CLOSING})
    with start(script, auth="none") as sender:
        assert [sender.send(ALICE, MAIL).outcome for _ in range(2)] == [Outcome.SENT] * 2
