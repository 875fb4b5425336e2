"""Sign in over IMAP: SASL PLAIN (RFC 4616), LOGIN, or XOAUTH2."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.source.imap import errors as faults
from bounce_watch.source.imap.errors import checked
from bounce_watch.source.imap.responses import plain
from bounce_watch.source.imap.transport import listed_capabilities
from bounce_watch.source.interface import Refused, SessionEnded, SourceError
from bounce_watch.testing import crash_points


def with_password(
    client: Any, settings: ImapSettings, password: str, open_anew: Callable[[], Any]
) -> frozenset[str]:
    """Sign in with SASL PLAIN if offered, because LOGIN takes ASCII only; if that fails, with LOGIN.

    `open_anew` returns another connection, for the second way. Returns the capabilities.
    """

    def plain_login(client: Any, user: str, password: str) -> None:
        client.plain_login(user, password, settings.mailbox and checked(settings.mailbox))

    def login(client: Any, user: str, password: str) -> None:
        client.login(user, password)

    offered = {plain(name) for name in client.capabilities()}
    ways = [plain_login] if "AUTH=PLAIN" in offered else []
    if not (settings.mailbox or "LOGINDISABLED" in offered):
        ways.append(login)
    failures: list[SourceError] = []
    for way in ways:
        try:
            if failures:  # many servers hang up at a sign-in that fails
                with suppress(*faults.LOST):
                    client.shutdown()
                client = open_anew()
            return _sign_in(client, settings, partial(way, client), password)
        except (faults.Busy, SessionEnded):
            raise
        except SourceError as error:
            failures.append(error)
    refusals = [failure for failure in failures if isinstance(failure, Refused)]
    raise (refusals or failures or [_no_way(settings, offered)])[0]


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
