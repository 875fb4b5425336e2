"""Tokens from msal against a token server of our own over https."""

import pytest
import requests

from bounce_watch.config.accounts import OAuth
from bounce_watch.config.oauth import TokenRefused, Tokens, TokenUnavailable
from tests.servers.processes import free_port
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TENANT, TokenServer


def tokens(server: TokenServer, secret: str = CLIENT_SECRET, **wishes: str) -> Tokens:
    known = {"tenant": TENANT, "client_id": CLIENT_ID, "authority": server.authority}
    settings = OAuth.model_validate(known | wishes)
    return Tokens(settings, lambda: secret, http_client=server.http_client())


def test_a_token_is_kept_until_it_is_forgotten(token_server: TokenServer) -> None:
    """Entra throttles applications that ask for every connection."""
    wanted = tokens(token_server)
    first = wanted.read()
    assert wanted.read() == first
    wanted.forget()
    assert wanted.read() != first
    assert token_server.granted == 2


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
    assert repair in caught.value.repair
    assert "Alice" not in str(caught.value)


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
