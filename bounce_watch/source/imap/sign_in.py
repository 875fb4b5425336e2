"""Sign in over IMAP: SASL PLAIN (RFC 4616), LOGIN, or XOAUTH2."""

from collections.abc import Callable
from typing import Any

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.source.imap import errors as faults
from bounce_watch.source.imap.errors import checked
from bounce_watch.source.imap.responses import plain
from bounce_watch.source.imap.transport import listed_capabilities
from bounce_watch.source.interface import Refused
from bounce_watch.testing import crash_points


def with_password(client: Any, settings: ImapSettings, password: str) -> frozenset[str]:
    """Sign in with SASL PLAIN if offered, because LOGIN takes ASCII only; if that is refused, with LOGIN.

    Returns the capabilities.
    """

    def plain_login(user: str, password: str) -> None:
        client.plain_login(user, password, settings.mailbox and checked(settings.mailbox))

    offered = {plain(name) for name in client.capabilities()}
    ways: list[Callable[[str, str], object]] = [plain_login] if "AUTH=PLAIN" in offered else []
    if not (settings.mailbox or "LOGINDISABLED" in offered):
        ways.append(client.login)
    fault = _no_way(settings, offered)
    for number, way in enumerate(ways):
        try:
            return _sign_in(client, settings, way, password)
        except Refused as error:
            fault = fault if number else error
    raise fault


def _no_way(settings: ImapSettings, offered: set[str]) -> Refused:
    """Explain why no kind of sign-in with a password is offered that suits."""
    if settings.mailbox and "LOGINDISABLED" not in offered:
        return Refused(
            f"{settings.host} cannot open another user's mailbox (it offers no AUTH=PLAIN)",
            "leave mailbox out, and name the shared folder in folder",
        )
    return Refused(
        f"{settings.host} takes no passwords here (LOGINDISABLED)",
        'use auth = "xoauth2" (Exchange Online knows nothing else), or security = "starttls"',
    )


def with_token(client: Any, settings: ImapSettings, token: str) -> frozenset[str]:
    """Sign in with an access token and return the capabilities."""

    def mechanism(challenge: bytes) -> str:
        # A second challenge is the server's reason for refusing; an empty response ends the exchange.
        return "" if challenge else f"user={settings.owner}\x01auth=Bearer {token}\x01\x01"

    return _sign_in(client, settings, lambda *_: client.sasl_login("XOAUTH2", mechanism), token)


def _sign_in(
    client: Any, settings: ImapSettings, command: Callable[[str, str], object], secret: str
) -> frozenset[str]:
    crash_points.point("imap.sign_in")
    try:
        command(checked(settings.user), checked(secret))
        # Exchange Online sends no list after the sign-in, and its new list differs.
        return frozenset(listed_capabilities(client._imap))
    except faults.LOST as error:
        fault = faults.signing_in(error, settings, secret)
        # Not chained: the original text may repeat the secret.
        raise fault from None
