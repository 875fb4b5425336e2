"""Access tokens of Entra by client credentials (RFC 6749 section 4.4), for IMAP and SMTP alike."""

import re
from collections.abc import Callable
from typing import Any

from bounce_watch.config.accounts import OAuth

REPAIRS = {
    "AADSTS7000215": "the client secret is wrong: copy its value, not its ID, from the app registration",
    "AADSTS7000222": "the client secret has expired: make a new one in the app registration",
    "AADSTS7000216": "no client secret arrived: set client_secret_command or client_secret_file",
    "AADSTS700016": "the client_id is not known in this tenant: compare both with the app registration",
    "AADSTS7000112": "the application is disabled: enable it under Enterprise applications",
    "AADSTS90002": "the tenant is not known: compare it with the directory (tenant) ID",
    "AADSTS900023": "the tenant is not known: compare it with the directory (tenant) ID",
    "AADSTS70011": "the scope is wrong: for Exchange Online it is https://outlook.office365.com/.default",
    "AADSTS500011": "the scope is wrong: for Exchange Online it is https://outlook.office365.com/.default",
    "AADSTS1002012": "the scope is wrong: for Exchange Online it is https://outlook.office365.com/.default",
    "AADSTS53003": "a conditional access policy refuses this sign-in: exempt the application",
}
"""What repairs a refusal, by the code in it
(https://learn.microsoft.com/entra/identity-platform/reference-error-codes, November 2026)."""

_CODE = re.compile(r"AADSTS[0-9]{4,8}")


class TokenError(Exception):
    """Base of the faults of getting a token.

    TokenError
    ├── TokenRefused      a person must repair it
    └── TokenUnavailable  the sign-in service cannot be reached or is busy; try again later
    """

    def __init__(self, message: str, repair: str) -> None:
        super().__init__(message)
        self.repair = repair


class TokenRefused(TokenError):
    """The sign-in service refused this application."""


class TokenUnavailable(TokenError):
    """The sign-in service gave no answer that counts."""


class Tokens:
    """Hands out a token that is valid for at least five minutes; msal keeps it until then.

    `secret` is asked when a token is first needed. `http_client` is a requests session with its own trust.
    """

    def __init__(
        self, settings: OAuth, secret: Callable[[], str], *, timeout: float = 60, http_client: Any = None
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._timeout = timeout
        self._http_client = http_client
        self._application: Any = None

    def read(self) -> str:
        """Return an access token. Raises TokenRefused and TokenUnavailable."""
        # Imported late: msal and requests take a fifth of a second.
        from msal.exceptions import MsalError

        try:
            if self._application is None:
                self._application = self._register()
            answer = self._application.acquire_token_for_client(scopes=[self._settings.scope])
        except (MsalError, OSError, RuntimeError, ValueError) as error:
            # All faults of requests are OSErrors; msal meets an unreadable reply with the other three.
            raise self._unavailable(error) from error
        return self._token_in(answer)

    def forget(self) -> None:
        """Drop the kept token: the server refused it."""
        if self._application is not None:
            self._application.remove_tokens_for_client()

    def _register(self) -> Any:
        import msal

        settings = self._settings
        secret = self._secret()
        try:
            return msal.ConfidentialClientApplication(
                settings.client_id,
                client_credential=secret,
                authority=f"{settings.authority.rstrip('/')}/{settings.tenant}",
                # The authority is the admin's own word; national clouds need not be known to msal.
                instance_discovery=False,
                validate_authority=False,
                http_client=self._http_client,
                timeout=None if self._http_client else self._timeout,
            )
        except ValueError as error:
            raise TokenRefused(
                f"the sign-in service {settings.authority} does not know the tenant {settings.tenant}",
                "compare tenant and authority with the app registration",
            ) from error

    def _token_in(self, answer: dict[str, Any]) -> str:
        token = answer.get("access_token")
        if isinstance(token, str) and token.isascii() and token.isprintable():
            return token
        fault = str(answer.get("error", "no token"))
        code = _CODE.search(str(answer.get("error_description", "")))
        if fault in {"temporarily_unavailable", "server_error", "slow_down"}:
            raise self._unavailable(RuntimeError(fault))
        name = code[0] if code else fault[:40]
        repair = REPAIRS.get(name, "look the code up at https://login.microsoftonline.com/error")
        raise TokenRefused(f"the sign-in service refused the application ({name})", repair)

    def _unavailable(self, error: Exception) -> TokenUnavailable:
        repair = "check the network and the proxy; we try again by ourselves"
        if "SSL" in type(error).__name__:
            repair = "its certificate is not trusted here: name your proxy's authority in REQUESTS_CA_BUNDLE"
        host = self._settings.authority
        return TokenUnavailable(f"the sign-in service {host} gave no token ({type(error).__name__})", repair)
