"""The IMAP source against a real Dovecot: sign-in, TLS, folders, moves, lost connections."""

import imaplib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bounce_watch.config.accounts import ImapSettings, OAuth
from bounce_watch.source import MissingFolder, Refused, SourceError, Unreachable
from bounce_watch.source.imap.source import ImapSource
from tests.servers import certificates
from tests.servers.dovecot import EXCHANGE_ONLINE, PASSWORD, WATCHED, WITHOUT_UIDPLUS, Dovecot
from tests.servers.processes import free_port
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TENANT, TokenServer
from tests.source import samples
from tests.source.places import imap_settings

pytestmark = pytest.mark.servers


def password() -> str:
    return PASSWORD


def walk(source: ImapSource) -> list[bytes]:
    return [message.raw for message in source.messages()]


def with_tokens(dovecot: Dovecot, tokens: TokenServer, **wishes: object) -> ImapSettings:
    oauth = OAuth(tenant=TENANT, client_id=CLIENT_ID, authority=tokens.authority)
    return imap_settings(dovecot, auth="xoauth2", oauth=oauth, **wishes)


def test_a_token_signs_in_to_a_server_dressed_as_exchange_online(token_server: TokenServer) -> None:
    """XOAUTH2 with a token from msal, checked by Dovecot at the token server; the token is used again."""
    with Dovecot(introspection_url=token_server.introspection_url, capability=EXCHANGE_ONLINE) as dovecot:
        dovecot.append(samples.ALL)
        settings = with_tokens(dovecot, token_server)
        source = ImapSource(settings, lambda: CLIENT_SECRET, http_client=token_server.http_client())
        with source:
            assert walk(source) == list(samples.ALL)
            dovecot.end_sessions(WATCHED)
            assert walk(source) == list(samples.ALL)
    assert token_server.granted == 1


def test_a_connection_is_replaced_before_its_token_expires(token_server: TokenServer) -> None:
    """At four fifths of the token's life, so that no session is cut off by the server."""
    token_server.lifetime = 1  # its rest is always too short: every call comes with a new token
    with Dovecot(introspection_url=token_server.introspection_url, capability=EXCHANGE_ONLINE) as dovecot:
        dovecot.append(samples.ALL)
        settings = with_tokens(dovecot, token_server)
        source = ImapSource(settings, lambda: CLIENT_SECRET, http_client=token_server.http_client())
        with source:
            assert walk(source) == list(samples.ALL)
            time.sleep(1.1)
            assert walk(source) == list(samples.ALL)
    assert token_server.granted == 3


def test_a_token_that_the_server_refuses_is_not_used_again(token_server: TokenServer) -> None:
    """The admin repairs the mailbox permission; the next try must not repeat an old token."""
    token_server.username = "somebody.else@contoso.example"
    with Dovecot(introspection_url=token_server.introspection_url) as dovecot:
        settings = with_tokens(dovecot, token_server)
        source = ImapSource(settings, lambda: CLIENT_SECRET, http_client=token_server.http_client())
        with pytest.raises(Refused, match="refuses the token") as caught, source:
            pass
        assert any("Add-MailboxPermission" in command for command in caught.value.commands)
        token_server.username = WATCHED
        with source:
            assert walk(source) == []
    assert token_server.granted == 2


def test_a_wrong_client_secret_is_refused_with_the_repair(token_server: TokenServer) -> None:
    """Entra's code becomes a sentence; the secret is in none of the texts."""
    with Dovecot(introspection_url=token_server.introspection_url) as dovecot:
        settings = with_tokens(dovecot, token_server)
        source = ImapSource(settings, lambda: "wr0ng-s3cret", http_client=token_server.http_client())
        with pytest.raises(Refused, match="AADSTS7000215") as caught, source:
            pass
    assert "not its ID" in caught.value.repair
    assert "wr0ng-s3cret" not in f"{caught.value!r}"


@pytest.mark.parametrize(
    ("wishes", "secret", "fault", "words"),
    [
        pytest.param({}, "wr0ng", Refused, "user name or password", id="wrong password"),
        pytest.param({"user": "nobody@contoso.example"}, PASSWORD, Refused, "user name", id="unknown user"),
        pytest.param({"host": "127.0.0.2"}, PASSWORD, SourceError, "127.0.0.2", id="other address"),
        pytest.param({"host": "no-such-host.invalid"}, PASSWORD, Unreachable, "not known", id="unknown host"),
        pytest.param(
            {"security": "starttls", "timeout_seconds": 1},
            PASSWORD,
            Unreachable,
            "localhost",
            id="starttls on the TLS port",
        ),
        pytest.param({"folder": "Absent"}, PASSWORD, MissingFolder, "Absent", id="missing folder"),
        pytest.param({"ca_file": Path("/absent.pem")}, PASSWORD, Refused, "absent.pem", id="no CA file"),
        pytest.param({"ca_file": None}, PASSWORD, Refused, "certificate", id="unknown authority"),
        pytest.param({"folder": "A\r\nB DELETE INBOX"}, PASSWORD, Refused, "line break", id="injection"),
        pytest.param(
            {"user": "a\r\nB DELETE INBOX"}, PASSWORD, Refused, "line break", id="injection by user"
        ),
        pytest.param({}, "pw\0x", Refused, "line break", id="NUL in the password"),
    ],
)
def test_each_fault_has_its_kind_a_sentence_and_a_repair(
    dovecot: Dovecot, wishes: dict[str, object], secret: str, fault: type[SourceError], words: str
) -> None:
    """What an admin sees when something is set up wrongly, in `check` and in `run` alike."""
    settings = imap_settings(dovecot, **({"timeout_seconds": 5} | wishes))
    source = ImapSource(settings, lambda: secret)
    with pytest.raises(fault, match=words) as caught, source:
        pass
    assert caught.value.repair
    assert secret not in str(caught.value)
    (failure,) = [check for check in source.diagnose() if check.state == "failure"]
    assert failure.repair
    assert dovecot.contents() == []


def test_a_password_outside_ascii_signs_in_where_sasl_plain_is_offered(dovecot: Dovecot) -> None:
    """LOGIN carries ASCII only; quotes and backslashes must not break out of their string either."""
    (dovecot.root / "users").write_text(f'{WATCHED}:{{PLAIN}}grün "\\ pass::::::\n')
    with ImapSource(imap_settings(dovecot), lambda: 'grün "\\ pass') as source:
        assert source.count() == 0


@pytest.fixture(scope="module")
def delegated() -> Iterator[Dovecot]:
    """A server on which an account of its own may open others' mailboxes."""
    with Dovecot(master="service") as dovecot:
        dovecot.append(samples.ALL)
        yield dovecot


@pytest.mark.parametrize(
    "account",
    [
        pytest.param({"user": "service", "mailbox": WATCHED}, id="authorisation identity"),
        pytest.param({"user": f"{WATCHED}*service"}, id="in the user's name"),
    ],
)
def test_an_account_opens_the_mailbox_of_another(delegated: Dovecot, account: dict[str, str]) -> None:
    with ImapSource(imap_settings(delegated, **account), password) as source:
        assert walk(source) == list(samples.ALL)
        assert f"//{account.get('mailbox', account['user'])}@" in source.name


def test_an_account_that_may_not_open_the_mailbox_of_another_is_refused(delegated: Dovecot) -> None:
    settings = imap_settings(delegated, user="alice@contoso.example", mailbox=WATCHED)
    with pytest.raises(Refused, match="alice"), ImapSource(settings, password):
        pass


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    """A server that is down is no fault of the configuration."""
    settings = ImapSettings(host="127.0.0.1", port=free_port(), user=WATCHED)
    with pytest.raises(Unreachable, match="refuses connections"), ImapSource(settings, password):
        pass


def test_a_certificate_of_another_authority_is_refused(dovecot: Dovecot, tmp_path: Path) -> None:
    """A man in the middle cannot read the mailbox."""
    other = certificates.issue(tmp_path / "other")
    settings = imap_settings(dovecot, ca_file=other.ca_file)
    with pytest.raises(Refused, match="not trusted") as caught, ImapSource(settings, password):
        pass
    assert "ca_file" in caught.value.repair


def test_starttls_protects_the_sign_in() -> None:
    """Port 143 with a server that takes no password in clear."""
    with Dovecot(only_tls=True) as dovecot:
        dovecot.append([samples.REPORT])
        settings = imap_settings(dovecot, port=dovecot.imap_port, security="starttls")
        with ImapSource(settings, password) as source:
            assert walk(source) == [samples.REPORT]
        checks = ImapSource(settings, password).diagnose()
        assert "TLSv1" in checks[0].text


def test_only_this_machine_is_spoken_to_without_tls(dovecot: Dovecot) -> None:
    """`security = "none"` is for tests and for a server on the same machine."""
    with ImapSource(imap_settings(dovecot, port=dovecot.imap_port, security="none"), password) as source:
        assert source.count() == 0
    settings = imap_settings(dovecot, host="mail.contoso.example", security="none")
    with pytest.raises(Refused, match="without TLS"), ImapSource(settings, password):
        pass


def test_folders_are_made_when_first_needed_and_their_names_cannot_run_commands(dovecot: Dovecot) -> None:
    """Quotes, wildcards and non-ASCII letters are names; a folder that is deleted meanwhile is made again."""
    dovecot.append(samples.ALL)
    name = 'Rückläufer/a" %* \\b'
    with ImapSource(imap_settings(dovecot, filed_folder=name), password) as source:
        first, second, *_ = [message.location for message in source.messages()]
        source.file(first)
        with dovecot.sign_in() as client:
            client.delete('"R&APw-ckl&AOQ-ufer/a\\" %* \\\\b"')
        source.file(second)
        assert len(walk(source)) == 2
    with dovecot.sign_in() as client:
        assert client.select('"R&APw-ckl&AOQ-ufer/a\\" %* \\\\b"')[1] == [b"1"]
    assert "Bounces" not in dovecot.folders()


def test_a_server_with_neither_move_nor_uidplus_copies_once_and_expunges_nothing() -> None:
    """An EXPUNGE there would remove what other people marked; a repeated call must not copy again."""
    with Dovecot(capability=WITHOUT_UIDPLUS) as dovecot:
        dovecot.append(samples.ALL)
        with dovecot.sign_in() as client:
            client.select("INBOX")
            client.store("4", "+FLAGS", "(\\Deleted)")
        with ImapSource(imap_settings(dovecot), password) as source:
            first = next(source.messages()).location
            source.file(first)
            source.file(first)
        assert dovecot.contents(folder="Bounces/Filed") == [samples.REPORT]
        assert len(dovecot.contents()) == 4


def test_after_a_new_uidvalidity_all_comes_again_and_old_locators_move_nothing(dovecot: Dovecot) -> None:
    """The server renumbered: an old UID now means another message."""
    dovecot.append(samples.ALL)
    with ImapSource(imap_settings(dovecot), password) as source:
        old = [message.location for message in source.messages()]
    dovecot.forget_uids(WATCHED)
    with ImapSource(imap_settings(dovecot), password) as source:
        source.file(old[0])
        new = [message.location for message in source.messages()]
    assert len(new) == 4
    assert not set(old) & set(new)
    assert dovecot.contents(folder="Bounces/Filed") == []


def test_a_lost_connection_is_replaced_within_the_call(dovecot: Dovecot) -> None:
    """Exchange ends sessions when the token expires: neither walk nor move may fail for that."""
    dovecot.append(samples.ALL)
    with ImapSource(imap_settings(dovecot, window=1), password) as source:
        (first, *_) = [message.location for message in source.messages()]
        dovecot.end_sessions(WATCHED)
        source.file(first)
        dovecot.end_sessions(WATCHED)
        assert source.count() == 3
    assert dovecot.contents(folder="Bounces/Filed") == [samples.REPORT]


def test_a_walk_goes_on_after_a_move_had_to_reconnect(dovecot: Dovecot) -> None:
    """Nothing is lost or yielded twice, whichever call noticed the lost connection."""
    dovecot.append(samples.ALL)
    with ImapSource(imap_settings(dovecot, window=1), password) as source:
        walking = source.messages()
        first = next(walking)
        dovecot.end_sessions(WATCHED)
        source.file(first.location)
        assert [message.raw for message in walking] == list(samples.ALL[1:])


def test_a_walk_goes_on_after_the_connection_ended_in_it(dovecot: Dovecot) -> None:
    """Once a walk: a server that ends every session is a fault."""
    dovecot.append(samples.ALL)
    with ImapSource(imap_settings(dovecot, window=1), password) as source:
        walking = source.messages()
        assert next(walking).raw == samples.ALL[0]
        dovecot.end_sessions(WATCHED)
        dovecot.wait_until_signed_out(WATCHED)
        assert [message.raw for message in walking] == list(samples.ALL[1:])


def test_a_walk_ends_when_the_uids_mean_something_else_after_a_reconnect(dovecot: Dovecot) -> None:
    """The next walk starts anew, under the new UIDVALIDITY."""
    dovecot.append(samples.ALL)
    with ImapSource(imap_settings(dovecot, window=1), password) as source:
        walking = source.messages()
        next(walking)
        dovecot.forget_uids(WATCHED)
        assert list(walking) == []
        assert walk(source) == list(samples.ALL)


def test_a_stopped_server_is_unreachable(dovecot: Dovecot) -> None:
    """Maintenance: the caller waits and tries again."""
    with ImapSource(imap_settings(dovecot), password) as source:
        dovecot.stop()
        with pytest.raises(Unreachable):
            source.count()


def test_what_could_not_be_moved_while_the_server_was_gone_is_moved_after(dovecot: Dovecot) -> None:
    """A move without a connection must not look like one of a message that is gone."""
    dovecot.append([samples.REPORT])
    with ImapSource(imap_settings(dovecot), password) as source:
        (message,) = source.messages()
        dovecot.stop()
        for _ in range(2):
            with pytest.raises(Unreachable):
                source.file(message.location)
        dovecot.start()
        source.file(message.location)
    assert dovecot.contents() == []
    assert dovecot.contents(folder="Bounces/Filed") == [samples.REPORT]


def test_gaps_between_uids_cost_few_commands(dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox that is emptied daily has its few messages at high UIDs."""
    dovecot.append([samples.NEWSLETTER])
    mail = dovecot.root / "mail" / "bounces"
    listing = mail / "dovecot-uidlist"
    dovecot.stop()
    header, *lines = listing.read_text().splitlines()
    moved = [line.replace("1 ", "3000000 ", 1) for line in lines]
    listing.write_text("\n".join([header.replace(" N2 ", " N3000001 "), *moved]) + "\n")
    for index in mail.glob("dovecot.index*"):
        index.unlink()
    dovecot.start()
    sent: list[bytes] = []
    send = imaplib.IMAP4.send

    def noting(client: imaplib.IMAP4, data: bytes) -> None:
        sent.append(data)
        send(client, data)

    monkeypatch.setattr(imaplib.IMAP4, "send", noting)
    with ImapSource(imap_settings(dovecot), password) as source:
        sent.clear()
        (found,) = list(source.messages())
    assert (found.location.uid, found.raw) == ("3000000", samples.NEWSLETTER)
    assert 1 < len(sent) < 80


def test_passwords_and_mail_never_reach_the_log(dovecot: Dovecot, caplog: pytest.LogCaptureFixture) -> None:
    """Even when an admin turns on everything."""
    caplog.set_level("DEBUG")
    dovecot.append([samples.REPORT])
    with ImapSource(imap_settings(dovecot), password) as source:
        assert walk(source) == [samples.REPORT]
    assert PASSWORD not in caplog.text
    assert "5.1.1" not in caplog.text


def test_the_probe_tells_what_a_run_would_need() -> None:
    """Connection, sign-in, folders and how messages are moved, one line each."""
    with Dovecot(capability=WITHOUT_UIDPLUS) as dovecot:
        dovecot.append(samples.ALL)
        checks = ImapSource(imap_settings(dovecot), password).diagnose()
        assert [(check.name, check.state) for check in checks] == [
            ("IMAP connection", "ok"),
            ("IMAP sign-in", "ok"),
            ("IMAP watched folder", "ok"),
            ("IMAP filed folder", "warning"),
            ("IMAP quarantine folder", "warning"),
            ("IMAP moving", "warning"),
        ]
        assert "4 messages" in checks[2].text
        assert "Bounces" not in dovecot.folders()
