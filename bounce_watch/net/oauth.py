"""Access tokens from Entra by client credentials (RFC 6749 section 4.4), for IMAP and SMTP."""

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

from bounce_watch.config.accounts import Login, OAuth
from bounce_watch.model.errors import RepairableError
from bounce_watch.net.client_certificate import UnusableCertificate, read_certificate
from bounce_watch.net.refusals import At, Then, find_refusal

RENEW_AT = 0.8
"""Share of a token's lifetime after which it is replaced: Exchange ends the session with the token."""
MIN_REMAINING = 300.0
"""A token with fewer seconds left is replaced, however short its lifetime."""

MAX_LIFE = 86_400.0
"""Maximum seconds that a token is kept, whatever the response says."""

_PEM = (
    "certificate_file must be PEM and hold an RSA key and its certificate; "
    "an encrypted key needs its passphrase in client_secret_file or client_secret_command"
)
_CODE = re.compile(r"AADSTS[0-9]{4,8}")
_UNREADABLE = (TypeError, AttributeError, LookupError, ArithmeticError)
_TEMPORARY = frozenset({"temporarily_unavailable", "server_error", "slow_down"})


class TokenError(RepairableError):
    """Base of the faults of getting a token.

    TokenError
    ├── TokenRefused      an admin must fix it
    └── TokenUnavailable  the sign-in service cannot be reached or is busy; try again later
    """


class TokenRefused(TokenError):
    """The sign-in service refused this application."""


class TokenUnavailable(TokenError):
    """The sign-in service gave no usable response."""


class Tokens:
    """Returns a token and replaces it after four fifths of its lifetime, or later while Entra is away.

    `secret` is called when a token is first needed. `http_client` is a requests session with its own
    trust; `clock` counts seconds.
    """

    def __init__(
        self,
        settings: OAuth,
        secret: Callable[[], str],
        *,
        timeout: float = 60,
        http_client: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._timeout = timeout
        self._http_client = http_client
        self._clock = clock
        self._application: Any = None
        self._token = ""
        self._renew_at = self._ends_at = 0.0

    def read(self) -> str:
        """Return an access token. Raises TokenRefused and TokenUnavailable."""
        if self._token and not self.is_due():
            return self._token
        try:
            return self._renewed()
        except TokenUnavailable:
            if self._token and self._clock() < self._ends_at:
                return self._token
            raise

    def is_due(self) -> bool:
        """Tell whether a connection that signed in with the last token should be replaced."""
        return bool(self._token) and self._clock() >= self._renew_at

    def forget(self) -> None:
        """Drop the cached token: the server refused it or ended its session."""
        self._token = ""

    def _renewed(self) -> str:
        # Imported late: msal and requests take a fifth of a second.
        from msal.exceptions import MsalError

        # It logs whole responses that it cannot read, which may hold a token, with tracebacks.
        logging.getLogger("msal").setLevel(logging.CRITICAL + 1)
        try:
            if self._application is None:
                self._application = self._register()
            # msal caches tokens too, and would return the old one until five minutes before its end.
            self._application.remove_tokens_for_client()
            answer = self._application.acquire_token_for_client(scopes=[self._settings.scope])
            life = min(max(float(answer.get("expires_in") or 0), 0.0), MAX_LIFE)
        except (MsalError, OSError, RuntimeError, ValueError, *_UNREADABLE) as error:
            # All faults of requests are OSErrors; msal raises the others at an unreadable response.
            if isinstance(error, _UNREADABLE):
                self._application = None  # it keeps some such responses and would give them again
            raise self._unavailable(error) from error
        token, now = self._token_in(answer), self._clock()
        self._token, self._ends_at = token, now + life
        self._renew_at = now + min(life * RENEW_AT, life - MIN_REMAINING)
        return token

    def _register(self) -> Any:
        import msal

        settings = self._settings
        credential = self._credential()
        try:
            return msal.ConfidentialClientApplication(
                settings.client_id,
                client_credential=credential,
                authority=f"{settings.authority.rstrip('/')}/{settings.tenant}",
                # The admin has chosen the authority; msal may not know national clouds.
                instance_discovery=False,
                validate_authority=False,
                http_client=self._http_client,
                timeout=None if self._http_client else self._timeout,
            )
        except ValueError as error:
            if isinstance(error.__context__, json.JSONDecodeError):
                raise  # the page of a proxy, say
            raise TokenRefused(
                f"the sign-in service {settings.authority} does not know the tenant {settings.tenant}",
                "compare tenant and authority with the app registration",
            ) from error

    def _credential(self) -> str | dict[str, str]:
        """Return the credential for msal: the secret, or key and certificate."""
        secret, file = self._secret(), self._settings.certificate_file
        if file is None:
            return secret
        try:
            text = read_certificate(file, secret).text
        except UnusableCertificate as error:
            raise TokenRefused(str(error), _PEM) from None
        return {"private_key": text, "public_certificate": text} | ({"passphrase": secret} if secret else {})

    def _token_in(self, answer: dict[str, Any]) -> str:
        token = answer.get("access_token")
        if isinstance(token, str) and token and token.isascii() and token.isprintable():
            return token
        fault = answer.get("error")
        if not isinstance(fault, str):
            self._application = None
            raise self._unavailable(ValueError("neither a token nor an error"))
        # Only the code is shown, because the description names applications and people.
        code = _CODE.search(str(answer.get("error_description", "")))
        name = code[0] if code else fault[:40]
        known = find_refusal(At.TOKEN, name)
        if known is None and fault in _TEMPORARY:
            raise self._unavailable(RuntimeError(fault))
        if known is None:
            raise TokenRefused(
                f"the sign-in service refused the application ({name})",
                "look the code up at https://login.microsoftonline.com/error",
            )
        commands = known.filled({"application": self._settings.client_id})
        kind = TokenUnavailable if known.then is Then.WAIT else TokenRefused
        raise kind(f"the sign-in service gave no token: {known.says} ({name})", known.repair, commands)

    def _unavailable(self, error: Exception) -> TokenUnavailable:
        repair = "check the network and the proxy; we try again by ourselves"
        if "SSL" in type(error).__name__:
            repair = "its certificate is not trusted here: name your proxy's authority in REQUESTS_CA_BUNDLE"
        host = self._settings.authority
        return TokenUnavailable(f"the sign-in service {host} gave no token ({type(error).__name__})", repair)


def tokens_for(login: Login, secret: Callable[[], str], http_client: Any = None) -> Tokens | None:
    """Return the tokens of a login, None if it signs in without them."""
    if login.auth != "xoauth2" or login.oauth is None:
        return None
    return Tokens(login.oauth, secret, timeout=login.timeout_seconds, http_client=http_client)
