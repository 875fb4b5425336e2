"""Tokens from msal against a token server of our own over https."""

from itertools import product
from pathlib import Path

import pytest
import requests
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bounce_watch.config.accounts import ImapSettings, OAuth
from bounce_watch.config.secrets import login_lookup
from bounce_watch.net.oauth import MAX_LIFE, TokenRefused, Tokens, TokenUnavailable
from tests.servers.processes import free_port
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TENANT, TokenServer


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def tokens(
    server: TokenServer, secret: str = CLIENT_SECRET, clock: Clock | None = None, **wishes: object
) -> Tokens:
    known: dict[str, object] = {"tenant": TENANT, "client_id": CLIENT_ID, "authority": server.authority}
    settings = OAuth.model_validate(known | wishes)
    return Tokens(settings, lambda: secret, http_client=server.http_client(), clock=clock or Clock())


def test_a_token_is_kept_until_it_is_forgotten(token_server: TokenServer) -> None:
    """Entra throttles applications that ask for every connection."""
    wanted = tokens(token_server)
    first = wanted.read()
    assert wanted.read() == first
    wanted.forget()
    assert wanted.read() != first
    assert token_server.granted == 2


def test_a_token_is_replaced_at_four_fifths_of_its_life(token_server: TokenServer) -> None:
    """Exchange Online ends a session together with its token; we come before."""
    clock = Clock()
    wanted = tokens(token_server, clock=clock)
    assert not wanted.is_due()
    first = wanted.read()
    clock.now += 0.79 * token_server.lifetime
    assert (wanted.read(), wanted.is_due()) == (first, False)
    clock.now += 0.02 * token_server.lifetime
    assert wanted.is_due()
    assert wanted.read() != first
    assert not wanted.is_due()
    assert token_server.granted == 2


def test_a_token_lives_to_its_end_while_nobody_gives_a_new_one(token_server: TokenServer) -> None:
    """An outage of Entra that is shorter than a fifth of the life is not noticed."""
    clock = Clock()
    wanted = tokens(token_server, clock=clock)
    first = wanted.read()
    token_server.refuse_with = (503, "temporarily_unavailable", "busy")
    clock.now += 0.9 * token_server.lifetime
    assert wanted.read() == first
    clock.now += 0.1 * token_server.lifetime
    with pytest.raises(TokenUnavailable):
        wanted.read()


def test_a_refusal_counts_at_once_even_while_the_old_token_lives(token_server: TokenServer) -> None:
    """An admin who revokes the application's rights expects this to take effect today."""
    clock = Clock()
    wanted = tokens(token_server, clock=clock)
    wanted.read()
    token_server.refuse_with = (400, "unauthorized_client", "AADSTS7000112: disabled")
    clock.now += 0.9 * token_server.lifetime
    with pytest.raises(TokenRefused, match="disabled"):
        wanted.read()


def test_a_token_near_its_end_is_replaced(token_server: TokenServer) -> None:
    """A token that expires within minutes is of no use for a connection that lives for hours."""
    token_server.lifetime = 200
    wanted = tokens(token_server)
    assert wanted.read() != wanted.read()


@pytest.mark.parametrize(
    ("status", "error", "description", "repair"),
    [
        pytest.param(
            401, "invalid_client", "AADSTS7000222: expired keys of Alice", "has expired", id="secret expired"
        ),
        pytest.param(
            400,
            "unauthorized_client",
            "AADSTS700016: not found of Alice",
            "client_id",
            id="application unknown",
        ),
        pytest.param(
            400,
            "invalid_client",
            "AADSTS7000112: disabled of Alice",
            "enable it",
            id="application disabled of Alice",
        ),
        pytest.param(
            400, "invalid_request", "AADSTS999999: novelty of Alice", "look the code up", id="unknown code"
        ),
        pytest.param(400, "invalid_request", "no code at all of Alice", "look the code up", id="no code"),
    ],
)
def test_a_refusal_becomes_a_sentence_with_the_repair(
    token_server: TokenServer, status: int, error: str, description: str, repair: str
) -> None:
    """Only Entra's code is shown: its description can hold names of applications and people."""
    token_server.refuse_with = (status, error, description)
    with pytest.raises(TokenRefused) as caught:
        tokens(token_server).read()
    assert repair in f"{caught.value} {caught.value.repair}"
    assert "Alice" not in f"{caught.value} {caught.value.repair}"


def test_a_wrong_scope_or_tenant_is_refused(token_server: TokenServer) -> None:
    """Typing errors in the configuration are told apart."""
    with pytest.raises(TokenRefused) as caught:
        tokens(token_server, scope="https://graph.example/.default").read()
    assert "scope" in caught.value.repair
    with pytest.raises(TokenRefused, match="does not know the tenant"):
        tokens(token_server, tenant="elsewhere").read()
    with pytest.raises(TokenRefused):
        tokens(token_server, authority=token_server.authority.replace("https", "http")).read()


@pytest.mark.parametrize(
    ("status", "error"),
    [(503, "temporarily_unavailable"), (500, "server_error"), (429, "temporarily_unavailable")],
    ids=["unavailable", "server error", "throttled"],
)
def test_an_outage_is_worth_another_try(token_server: TokenServer, status: int, error: str) -> None:
    """Time repairs it, no person has to."""
    token_server.refuse_with = (status, error, "busy")
    with pytest.raises(TokenUnavailable):
        tokens(token_server).read()


GARBAGE = {
    "a page": b"<html>Sign in to the guest network</html>",
    "nothing": b"",
    "no object": b"[1]",
    "null": b"null",
    "an empty object": b"{}",
    "deep": b"[" * 100_000,
    "huge": b"x" * 5_000_000,
    "no UTF-8": b"\xff\xfe\x00",
    "an error of no text": b'{"error": ["x"]}',
    "a token of no text": b'{"access_token": 3, "expires_in": 3600}',
    "an empty token": b'{"access_token": "", "expires_in": 3600}',
    "a token of two lines": b'{"access_token": "a\\r\\nb", "expires_in": 3600}',
    "a wrong scope": b'{"access_token": "x", "expires_in": 3600, "scope": [1]}',
    "life of no number": b'{"access_token": "x", "expires_in": {}}',
    "infinite life": b'{"access_token": "x", "expires_in": 1e999}',
    "a life of 500 digits": b'{"access_token": "x", "expires_in": 1%s}' % (b"0" * 500),
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=list(GARBAGE))
def test_a_response_that_makes_no_sense_is_worth_another_try(
    token_server: TokenServer, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A guest network or a proxy answers so; no traceback, and the next try may find the service."""
    for status, place in product((200, 302), ("garbage", "garbage_token")):
        wanted = tokens(token_server)
        setattr(token_server, place, (status, body))
        with pytest.raises(TokenUnavailable):
            wanted.read()
        setattr(token_server, place, None)
        assert wanted.read()
    assert "msal" not in {record.name.split(".")[0] for record in caplog.records}


@pytest.mark.parametrize(("life", "kept"), [(-5, 0.0), (0, 0.0), (1e99, MAX_LIFE)])
def test_the_life_of_a_token_has_bounds(token_server: TokenServer, life: float, kept: float) -> None:
    clock = Clock()
    token_server.garbage_token = (200, b'{"access_token": "x", "expires_in": %s}' % str(life).encode())
    wanted = tokens(token_server, clock=clock)
    wanted.read()
    clock.now += kept
    assert wanted.is_due()


def test_a_service_that_cannot_be_reached_is_worth_another_try() -> None:
    """No network."""
    settings = OAuth(tenant=TENANT, client_id=CLIENT_ID, authority=f"https://localhost:{free_port()}")
    with requests.Session() as session:
        session.trust_env = False
        wanted = Tokens(settings, lambda: CLIENT_SECRET, http_client=session)
        with pytest.raises(TokenUnavailable) as caught:
            wanted.read()
    assert "network" in caught.value.repair


def test_a_certificate_that_is_not_trusted_is_named(token_server: TokenServer) -> None:
    """Proxies that look into TLS are the usual cause."""
    settings = OAuth(tenant=TENANT, client_id=CLIENT_ID, authority=token_server.authority)
    with requests.Session() as session:
        session.trust_env = False
        wanted = Tokens(settings, lambda: CLIENT_SECRET, http_client=session)
        with pytest.raises(TokenUnavailable) as caught:
            wanted.read()
    assert "REQUESTS_CA_BUNDLE" in caught.value.repair


def test_the_secret_is_asked_for_late_and_shown_nowhere(token_server: TokenServer) -> None:
    """A repr in a log must not give it away."""
    asked: list[str] = []

    def secret() -> str:
        asked.append("once")
        return "wr0ng-s3cret"

    wanted = Tokens(
        OAuth(tenant=TENANT, client_id=CLIENT_ID, authority=token_server.authority),
        secret,
        http_client=token_server.http_client(),
    )
    assert asked == []
    with pytest.raises(TokenRefused) as caught:
        wanted.read()
    assert "wr0ng-s3cret" not in f"{wanted!r} {caught.value!r} {caught.value.__cause__!r}"


class TestCertificates:
    """Sign-in by a certificate: nothing secret leaves this machine, and nothing expires unseen."""

    @staticmethod
    def pem(folder: Path, passphrase: bytes = b"") -> tuple[Path, bytes]:
        """Write key and certificate into one file; return it and the certificate alone."""
        rsa = trustme.KeyType.RSA
        issued = trustme.CA(key_type=rsa).issue_cert("bounce-watch.contoso.example", key_type=rsa)
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        how = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        certificate = issued.cert_chain_pems[0].bytes()
        path = folder / "application.pem"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how) + certificate)
        return path, certificate

    def test_a_certificate_signs_in(self, token_server: TokenServer, tmp_path: Path) -> None:
        """The assertion is signed with the key; the server knows only the certificate."""
        path, token_server.trusted = self.pem(tmp_path)
        assert tokens(token_server, "", certificate_file=path).read().startswith("eyJ")

    def test_an_encrypted_key_takes_the_secret_as_its_passphrase(
        self, token_server: TokenServer, tmp_path: Path
    ) -> None:
        path, token_server.trusted = self.pem(tmp_path, b"open sesame")
        assert tokens(token_server, "open sesame", certificate_file=path).read()
        with pytest.raises(TokenRefused) as caught:
            tokens(token_server, "shut sesame", certificate_file=path).read()
        assert "passphrase" in caught.value.repair
        assert "sesame" not in f"{caught.value!r} {caught.value.__cause__!r}"

    def test_a_certificate_that_entra_does_not_know_is_named(
        self, token_server: TokenServer, tmp_path: Path
    ) -> None:
        _, token_server.trusted = self.pem(tmp_path)
        other, _ = self.pem(tmp_path)
        with pytest.raises(TokenRefused, match="AADSTS700027") as caught:
            tokens(token_server, "", certificate_file=other).read()
        assert "upload the certificate" in caught.value.repair

    @pytest.mark.parametrize(
        "content", [None, b"", b"no PEM", b"\xff\xfe"], ids=["absent", "empty", "text", "bytes"]
    )
    def test_a_file_without_key_and_certificate_is_named(
        self, token_server: TokenServer, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "application.pem"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(TokenRefused, match=r"application\.pem"):
            tokens(token_server, "", certificate_file=path).read()

    def test_only_an_rsa_key_with_its_own_certificate_will_do(
        self, token_server: TokenServer, tmp_path: Path
    ) -> None:
        """Entra takes no other kind; a pair that does not fit would only give AADSTS700027 later."""
        path = tmp_path / "application.pem"
        issued = trustme.CA().issue_cert("bounce-watch.contoso.example")
        path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
        with pytest.raises(TokenRefused, match="not RSA"):
            tokens(token_server, "", certificate_file=path).read()
        mine, _ = self.pem(tmp_path)
        key = mine.read_bytes().partition(b"-----BEGIN CERT")[0]
        _, foreign = self.pem(tmp_path)
        path.write_bytes(key + foreign)
        with pytest.raises(TokenRefused, match="does not belong"):
            tokens(token_server, "", certificate_file=path).read()

    def test_a_certificate_needs_no_secret(self, tmp_path: Path) -> None:
        """`login_lookup` would otherwise demand one."""
        oauth = OAuth(tenant=TENANT, client_id=CLIENT_ID, certificate_file=tmp_path / "application.pem")
        assert (
            login_lookup(ImapSettings(user="a@b.example", auth="xoauth2", oauth=oauth), "imap").read() == ""
        )
