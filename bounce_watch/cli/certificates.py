"""When the certificates end with which the application signs in: Entra warns nobody."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bounce_watch.config.accounts import Login
from bounce_watch.config.secrets import login_secret
from bounce_watch.net.client_certificate import read_certificate

if TYPE_CHECKING:
    from bounce_watch.cli.checkup import Finding
    from bounce_watch.config.models import Config

WARN_BEFORE = timedelta(days=30)
_REPAIR = (
    "make a new one, upload it beside the old one under Entra > App registrations > Certificates & secrets, "
    "and name it in certificate_file"
)


def certificates(config: "Config") -> Iterator["Finding"]:
    """Yield a line for each certificate file. Raises UnusableCertificate and SecretError."""
    from bounce_watch.cli.checkup import Finding

    for file, passphrase in _files(config).items():
        ends = read_certificate(file, passphrase()).ends_at
        state, repair = _state(ends - datetime.now(UTC))
        yield Finding(name="certificate", state=state, text=f"{file} ends on {ends:%Y-%m-%d}", repair=repair)


def _files(config: "Config") -> dict[Path, Callable[[], str]]:
    """Return each certificate file that a login uses, with what reads its passphrase."""
    logins = [*((login, "imap") for login in config.source), (config.send, "smtp")]
    return {
        login.oauth.certificate_file: partial(login_secret, login, prefix)
        for login, prefix in logins
        if isinstance(login, Login) and login.auth == "xoauth2"
        if login.oauth and login.oauth.certificate_file
    }


def _state(left: timedelta) -> tuple[str, str]:
    if left <= timedelta(0):
        return "failure", _REPAIR
    return ("warning", _REPAIR) if left < WARN_BEFORE else ("ok", "")
