"""The SMTP sender against a submission server: what became of each mail is told honestly."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bounce_watch.config.accounts import OAuth, SmtpSettings
from bounce_watch.send import Outcome
from bounce_watch.send.smtp.sender import SmtpSender
from tests.servers import certificates
from tests.servers.certificates import Certificates
from tests.servers.processes import free_port
from tests.servers.submission import CUT, Submission, SubmissionServer
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TENANT, TokenServer

HELP = "help@contoso.example"
ALICE = "alice@contoso.example"
USER, PASSWORD = "bounces@contoso.example", "correct horse"
MAIL = b"From: help@contoso.example\r\nTo: alice@contoso.example\r\n\r\n.one\r\n..two\r\nthree\r\n"

Start = Callable[..., SmtpSender]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def start(tls: Certificates) -> Iterator[Start]:
    """Return a function that starts a server for a submission and makes a sender for it."""
    with ExitStack() as stack:

        def begin(
            submission: Submission,
            *,
            server: dict[str, Any] | None = None,
            secret: str = PASSWORD,
            **wishes: object,
        ) -> SmtpSender:
            options: dict[str, Any] = {"certificates": tls, "password": (USER, PASSWORD)} | (server or {})
            running = stack.enter_context(SubmissionServer(submission, **options))
            known = {
                "host": "localhost",
                "port": running.port,
                "ca_file": tls.ca_file,
                "user": USER,
                "timeout_seconds": 5,
            }
            return SmtpSender(SmtpSettings.model_validate(known | wishes), lambda: secret, HELP)

        yield begin


def test_a_mail_arrives_byte_for_byte_over_starttls_with_a_password(start: Start) -> None:
    """Dots at line starts included; the server's words with its queue id come back."""
    submission = Submission()
    with start(submission, server={"sign_in_first": True}) as sender:
        delivery = sender.send(ALICE, MAIL)
    assert submission.accepted == [(HELP, ALICE, MAIL)]
    assert delivery.outcome is Outcome.SENT
    assert "queued as 42" in delivery.reply


def test_a_mail_arrives_over_implicit_tls(start: Start) -> None:
    """Port 465."""
    submission = Submission()
    with start(submission, server={"implicit": True}, security="tls") as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT


def test_one_connection_is_kept_for_several_mails(start: Start) -> None:
    """Exchange Online counts connections and sign-ins."""
    submission = Submission()
    with start(submission) as sender:
        assert [sender.send(ALICE, MAIL).outcome for _ in range(3)] == [Outcome.SENT] * 3
    assert submission.opened == 1


def test_a_refused_mail_leaves_the_connection_ready_for_the_next(start: Start) -> None:
    """RSET takes back the half-finished mail."""
    submission = Submission(at_rcpt="550 5.1.1 nobody here")
    with start(submission) as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.FAILED
        submission.at_rcpt = None
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
    assert submission.opened == 1


def test_a_connection_that_ended_while_idle_is_opened_anew(start: Start) -> None:
    """Nothing was sent yet, so that this is no ambiguous send."""
    submission = Submission()
    with start(submission) as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
        submission.hang_up()
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
    assert (submission.opened, len(submission.accepted)) == (2, 2)


@pytest.mark.parametrize(
    ("where", "reply", "outcome"),
    [
        pytest.param("at_mail", "451 4.3.2 later", Outcome.LATER, id="MAIL 4xx"),
        pytest.param(
            "at_mail", "432 4.3.2 Concurrent connections limit exceeded", Outcome.LATER, id="MAIL 432"
        ),
        pytest.param(
            "at_mail", "530 5.7.57 Client was not authenticated", Outcome.STOP, id="MAIL not signed in"
        ),
        pytest.param(
            "at_mail", "550 5.7.60 no permission to send as this sender", Outcome.STOP, id="MAIL send as"
        ),
        pytest.param("at_mail", "550 5.1.8 sender refused", Outcome.STOP, id="MAIL 5xx"),
        pytest.param("at_mail", "552 5.3.4 too large", Outcome.FAILED, id="MAIL too large"),
        pytest.param("at_mail", CUT, Outcome.LATER, id="MAIL cut"),
        pytest.param("at_mail", "421 4.3.2 closing", Outcome.LATER, id="MAIL closing"),
        pytest.param("at_rcpt", "450 4.2.0 greylisted", Outcome.LATER, id="RCPT 4xx"),
        pytest.param("at_rcpt", "550 5.1.1 nobody here", Outcome.FAILED, id="RCPT 5xx"),
        pytest.param("at_rcpt", "550 5.7.68 Direct Send not allowed", Outcome.STOP, id="RCPT direct send"),
        pytest.param("at_rcpt", "530 5.7.0 sign in first", Outcome.STOP, id="RCPT not signed in"),
        pytest.param("at_rcpt", CUT, Outcome.LATER, id="RCPT cut"),
        pytest.param("at_data", "451 4.3.0 no room", Outcome.LATER, id="DATA 4xx"),
        pytest.param("at_data", "554 5.5.1 no", Outcome.FAILED, id="DATA 5xx"),
        pytest.param("at_data", CUT, Outcome.LATER, id="DATA cut"),
        pytest.param("at_end", "451 4.3.0 try again", Outcome.LATER, id="content 4xx"),
        pytest.param("at_end", "421 4.3.2 closing", Outcome.LATER, id="content closing"),
        pytest.param("at_end", "550 5.7.1 content refused", Outcome.FAILED, id="content 5xx"),
        pytest.param("at_end", "554 5.2.252 SendAsDenied", Outcome.STOP, id="content send as"),
        pytest.param(
            "at_end", "554 5.2.0 SubmissionQuotaExceededException", Outcome.LATER, id="content quota"
        ),
        pytest.param("at_end", CUT, Outcome.UNKNOWN, id="content cut"),
        pytest.param("at_end", "what?", Outcome.UNKNOWN, id="content answered by nonsense"),
        pytest.param("at_end", "354 go on", Outcome.UNKNOWN, id="content answered by 354"),
    ],
)
def test_each_reply_has_its_outcome(start: Start, where: str, reply: str, outcome: Outcome) -> None:
    """Only what happens between the first byte of content and the reply is unknown."""
    submission = Submission()
    setattr(submission, where, (lambda _: reply) if where == "at_mail" else reply)
    with start(submission) as sender:
        delivery = sender.send(ALICE, MAIL)
    assert delivery.outcome is outcome
    assert submission.accepted == []
    if outcome in {Outcome.FAILED, Outcome.STOP}:
        assert reply in delivery.reply
    if outcome is Outcome.STOP and delivery.reply != reply:
        assert delivery.repair


def test_after_an_ambiguous_mail_the_next_goes_over_a_new_connection(start: Start) -> None:
    """A late reply to the first must not be taken for the second's."""
    submission = Submission(at_end=CUT)
    with start(submission) as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.UNKNOWN
        submission.at_end = None
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
    assert submission.opened == 2


@pytest.mark.parametrize(
    ("wish", "paths"),
    [
        pytest.param("mailbox", [HELP, HELP], id="mailbox"),
        pytest.param("null", ["", ""], id="null"),
        pytest.param("auto", ["", ""], id="auto where the empty path is taken"),
    ],
)
def test_the_reverse_path_is_the_configured_one(start: Start, wish: str, paths: list[str]) -> None:
    """The reverse path is our mailbox or empty: with an empty one no bounce can come back."""
    submission = Submission()
    with start(submission, reverse_path=wish) as sender:
        for _ in paths:
            sender.send(ALICE, MAIL)
    assert [path.strip("<>") for path, _, _ in submission.accepted] == paths


def test_a_server_that_refuses_the_empty_path_gets_our_mailbox_from_then_on(start: Start) -> None:
    """`auto` asks once a connection's life, not at every mail."""
    asked: list[str] = []

    def at_mail(address: str) -> str | None:
        asked.append(address)
        return None if address == HELP else "550 5.7.512 no empty sender"

    submission = Submission(at_mail=at_mail)
    with start(submission, reverse_path="auto") as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
    assert [address.strip("<>") for address in asked] == ["", HELP, HELP]


def test_a_busy_server_does_not_make_us_fall_back(start: Start) -> None:
    """A 4xx says nothing about the empty path."""
    submission = Submission(at_mail=lambda _: "451 4.3.2 later")
    with start(submission, reverse_path="auto") as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.LATER
        submission.at_mail = lambda _: None
        sender.send(ALICE, MAIL)
    assert submission.accepted[0][0].strip("<>") == ""


@pytest.mark.parametrize(
    ("recipient", "content"),
    [
        pytest.param(
            "alice@contoso.example>\r\nRCPT TO:<eve@evil.example", MAIL, id="line break in the address"
        ),
        pytest.param("alice@contoso.example> SIZE=1", MAIL, id="parameter in the address"),
        pytest.param("älice@contoso.example", MAIL, id="address outside ASCII"),
        pytest.param("", MAIL, id="no address"),
        pytest.param(ALICE, b"Subject: x\r\n\r\nend\n.\nMAIL FROM:<eve@evil.example>\r\n", id="bare LF"),
        pytest.param(ALICE, b"Subject: x\r\n\r\nend\r.\rQUIT\r\n", id="bare CR"),
    ],
)
def test_nothing_is_said_for_an_address_or_mail_with_tricks(
    start: Start, recipient: str, content: bytes
) -> None:
    """The check comes before the connection."""
    submission = Submission()
    with start(submission) as sender:
        assert sender.send(recipient, content).outcome is Outcome.FAILED
    assert submission.opened == 0


def test_a_mail_that_ends_in_the_middle_of_a_line_or_in_dots_arrives_whole(start: Start) -> None:
    """The end of data is a line of its own."""
    submission = Submission()
    with start(submission) as sender:
        for content in (b".", b"..\r\n.", b"Subject: x\r\n\r\nend"):
            assert sender.send(ALICE, content).outcome is Outcome.SENT
    assert [content for _, _, content in submission.accepted] == [
        b".\r\n",
        b"..\r\n.\r\n",
        b"Subject: x\r\n\r\nend\r\n",
    ]


@pytest.mark.parametrize(
    ("server", "wishes", "outcome", "words"),
    [
        pytest.param({"password": (USER, "other")}, {}, Outcome.STOP, "535", id="wrong password"),
        pytest.param({"certificates": None}, {}, Outcome.STOP, "STARTTLS", id="no STARTTLS"),
        pytest.param({}, {"ca_file": None}, Outcome.STOP, "not trusted", id="unknown authority"),
        pytest.param({}, {"host": "127.0.0.2"}, Outcome.LATER, "127.0.0.2", id="nobody listens"),
        pytest.param({}, {"host": "no-such-host.invalid"}, Outcome.LATER, "not known", id="unknown host"),
        pytest.param(
            {}, {"host": "mail.contoso.example", "security": "none"}, Outcome.STOP, "without TLS", id="no TLS"
        ),
        pytest.param({}, {"ca_file": Path("/absent.pem")}, Outcome.STOP, "absent.pem", id="no CA file"),
        pytest.param(
            {"hide": ("PLAIN", "LOGIN")}, {}, Outcome.STOP, "does not offer sign-in", id="no password sign-in"
        ),
        pytest.param({}, {"security": "tls"}, Outcome.LATER, "TLS", id="TLS on the STARTTLS port"),
    ],
)
def test_faults_before_the_mail_stop_or_wait_and_the_probe_tells_the_repair(
    start: Start, server: dict[str, object], wishes: dict[str, object], outcome: Outcome, words: str
) -> None:
    """A configuration at fault must not burn through the whole outbox."""
    submission = Submission()
    with start(submission, server=server, **wishes) as sender:
        delivery = sender.send(ALICE, MAIL)
        (failure,) = [check for check in sender.diagnose() if check.state == "failure"]
    assert delivery.outcome is outcome
    assert words in delivery.reply
    assert failure.repair
    assert PASSWORD not in f"{delivery} {failure}"
    assert submission.accepted == []


@pytest.mark.parametrize("hidden", ["PLAIN", "LOGIN"])
def test_a_password_outside_ascii_is_sent_in_utf8(start: Start, hidden: str) -> None:
    """RFC 4616; smtplib can only encode ASCII there."""
    submission, secret = Submission(), "pässwörd€"
    server = {"password": (USER, secret), "hide": (hidden,)}
    with start(submission, server=server, secret=secret) as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT


def test_loopback_needs_neither_tls_nor_sign_in(start: Start) -> None:
    """A relay on the same machine."""
    submission = Submission()
    with start(submission, server={"certificates": None}, security="none", auth="none") as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
        assert {check.state for check in sender.diagnose()} == {"ok"}


def test_the_probe_signs_in_and_sends_nothing(start: Start) -> None:
    """`bounce-watch check` may be run at any time."""
    submission = Submission()
    checks = start(submission).diagnose()
    assert [(check.name, check.state) for check in checks] == [
        ("SMTP connection", "ok"),
        ("SMTP sign-in", "ok"),
    ]
    assert "TLSv1" in checks[0].text
    assert submission.accepted == []


def test_a_port_where_nobody_listens_means_later() -> None:
    """Maintenance of the submission server."""
    settings = SmtpSettings(host="127.0.0.1", port=free_port(), user=USER)
    with SmtpSender(settings, lambda: PASSWORD, HELP) as sender:
        assert sender.send(ALICE, MAIL).outcome is Outcome.LATER


class TestTokens:
    """XOAUTH2 with tokens from msal, as Exchange Online wants it."""

    @staticmethod
    def sender(
        token_server: TokenServer, port: int, tls: Certificates, secret: str = CLIENT_SECRET
    ) -> SmtpSender:
        settings = SmtpSettings(
            host="localhost",
            port=port,
            ca_file=tls.ca_file,
            user=USER,
            auth="xoauth2",
            oauth=OAuth(tenant=TENANT, client_id=CLIENT_ID, authority=token_server.authority),
            timeout_seconds=5,
        )
        return SmtpSender(settings, lambda: secret, HELP, http_client=token_server.http_client())

    def test_a_token_signs_in(self, token_server: TokenServer, tls: Certificates) -> None:
        """The token is long, and it is fetched once for two connections."""
        submission = Submission()
        with SubmissionServer(submission, certificates=tls, accepts_token=token_server.accepts) as server:
            sender = self.sender(token_server, server.port, tls)
            with sender:
                assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
            with sender:
                assert sender.send(ALICE, MAIL).outcome is Outcome.SENT
            assert {check.state for check in sender.diagnose()} == {"ok"}
        assert token_server.granted == 1

    def test_a_refused_token_stops_sending_and_is_not_used_again(
        self, token_server: TokenServer, tls: Certificates
    ) -> None:
        """The server explains itself in a challenge before it refuses."""
        submission = Submission()
        with (
            SubmissionServer(submission, certificates=tls) as server,
            self.sender(token_server, server.port, tls) as sender,
        ):
            delivery = sender.send(ALICE, MAIL)
            sender.send(ALICE, MAIL)
        assert delivery.outcome is Outcome.STOP
        assert "535 5.7.3" in delivery.reply
        assert token_server.granted == 2

    def test_a_refusal_names_the_setting_and_its_command(
        self, token_server: TokenServer, tls: Certificates
    ) -> None:
        """What the admin pastes has this site's mailbox in it."""
        refusal = (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox."
        )
        submission = Submission(at_token=refusal)
        with (
            SubmissionServer(submission, certificates=tls) as server,
            self.sender(token_server, server.port, tls) as sender,
        ):
            delivery = sender.send(ALICE, MAIL)
            (failure,) = [check for check in sender.diagnose() if check.state == "failure"]
        assert delivery.outcome is Outcome.STOP
        assert "SMTP AUTH is off for this mailbox" in delivery.reply
        command = f"Set-CASMailbox -Identity '{USER}' -SmtpClientAuthenticationDisabled $false"
        assert delivery.commands == failure.commands == (command,)
        assert "SMTP AUTH is off" in failure.text

    def test_a_wrong_client_secret_stops_sending(self, token_server: TokenServer, tls: Certificates) -> None:
        """The sentence names Entra's code, not the secret."""
        with (
            SubmissionServer(Submission(), certificates=tls) as server,
            self.sender(token_server, server.port, tls, secret="wr0ng") as sender,
        ):
            delivery = sender.send(ALICE, MAIL)
        assert delivery.outcome is Outcome.STOP
        assert "AADSTS7000215" in delivery.reply
        assert "wr0ng" not in delivery.reply

    def test_a_token_service_that_is_down_means_later(
        self, token_server: TokenServer, tls: Certificates
    ) -> None:
        """Entra has outages; mail waits."""
        token_server.refuse_with = (503, "temporarily_unavailable", "busy")
        with (
            SubmissionServer(Submission(), certificates=tls) as server,
            self.sender(token_server, server.port, tls) as sender,
        ):
            assert sender.send(ALICE, MAIL).outcome is Outcome.LATER
