"""Read passwords and client secrets, which are never printed, logged or stored.

Order: `*_command`, `*_file`, environment, systemd credentials, then the literal in the configuration.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from bounce_watch.config.accounts import Login, Watched
from bounce_watch.config.models import Config, Store
from bounce_watch.config.section import Section
from bounce_watch.config.service import Chat, Monitor
from bounce_watch.model.errors import RepairableError

COMMAND_TIMEOUT = 30


class SecretError(RepairableError):
    """A secret could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretLookup:
    """The possible places of one secret. `name` is its systemd credential, such as `imap-password`.

    `key` is its key in the configuration, such as `password`.
    `common` is the name of a secret that several mailboxes share. An optional secret may be missing.
    """

    name: str
    key: str
    common: str | None = None
    literal: SecretStr | None
    command: str | None
    file: Path | None
    is_optional: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def variable(self) -> str:
        return _variable(self.name)

    def read(self) -> str:
        """Return the secret without its line end, "" for a missing optional one. Raises SecretError."""
        if self.command:
            return _from_command(self.command, self.name)
        if self.file:
            return _from_file(self.file, self.name)
        found = self._from_environment(self.name)
        if found is None and self.literal is None and self.common:
            found = self._from_environment(self.common)
        if found is not None:
            return found
        if self.literal is not None:
            return self.literal.get_secret_value()
        if self.is_optional:
            return ""
        raise SecretError(
            f"no {self.name.replace('-', ' ')} is set",
            f"set {self.key}_command in the configuration, "
            f"the variable {self.variable}, or the systemd credential {self.name}",
        )

    def _from_environment(self, name: str) -> str | None:
        """Return the secret in the environment or of systemd, None for none."""
        if _variable(name) in self.environ:
            return self.environ[_variable(name)]
        credentials = self.environ.get("CREDENTIALS_DIRECTORY")
        if credentials and (Path(credentials) / name).is_file():
            return _from_file(Path(credentials) / name, name)
        return None


def _variable(name: str) -> str:
    return "BOUNCE_WATCH_" + name.upper().replace("-", "_")


def _from_command(command: str, name: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the command is the admin's own
            shlex.split(command), capture_output=True, timeout=COMMAND_TIMEOUT, check=True, text=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        # Output and arguments are not shown, because both may hold the secret.
        raise SecretError(
            f"the command for the {name} failed ({type(error).__name__})",
            "run it by hand as the service's user",
        ) from None
    return done.stdout.rstrip("\r\n")


def _from_file(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeError) as error:
        raise SecretError(
            f"the file for the {name} cannot be read: {path} ({type(error).__name__})",
            "check that it exists and that the service's user may read it",
        ) from None


def _lookup(name: str, section: Section, key: str, *, is_optional: bool = False) -> SecretLookup:
    """Return the lookup of a secret with the keys KEY, KEY_command and KEY_file in a section."""
    literal, command, file = (getattr(section, key + way) for way in ("", "_command", "_file"))
    return SecretLookup(
        name=name, key=key, literal=literal, command=command, file=file, is_optional=is_optional
    )


def login_lookup(login: Login, prefix: str) -> SecretLookup:
    """Return the lookup of a login's password, or of its client secret for XOAUTH2.

    `prefix` is imap or smtp. With a certificate the secret is the passphrase of the key, which is optional.
    A named mailbox has secrets of its own. All may share a client secret, which is sent to the sign-in
    service only; a password is never sent to another server.
    """
    own = f"{login.name}-{prefix}" if isinstance(login, Watched) and login.name else prefix
    if login.auth == "xoauth2" and login.oauth:
        may_be_missing = login.oauth.certificate_file is not None
        lookup = _lookup(f"{own}-client-secret", login.oauth, "client_secret", is_optional=may_be_missing)
        return replace(lookup, common=f"{prefix}-client-secret")
    return _lookup(f"{own}-password", login, "password")


def chat_lookup(chat: Chat) -> SecretLookup:
    """Return the lookup of a chat room's URL, which is a secret."""
    return _lookup(f"{chat.name}-url", chat, "url")


def store_lookup(store: Store) -> SecretLookup:
    """Return the lookup of the database role's password, which is optional: libpq finds it in other ways."""
    return _lookup("store-password", store, "password", is_optional=True)


def heartbeat_url(monitor: Monitor) -> str:
    """Return the URL of the heartbeat, "" for none."""
    return _lookup("heartbeat-url", monitor, "heartbeat_url", is_optional=True).read()


def holds_literal_secret(config: Config) -> bool:
    """Tell whether the file itself holds a secret, so that it must be private."""
    logins = [part for part in (*config.source, config.send) if isinstance(part, Login)]
    if config.monitor.heartbeat_url:
        return True
    return any(login.password or (login.oauth and login.oauth.client_secret) for login in logins) or any(
        [config.store.password, _has_password(config.store), *(chat.url for chat in config.alerts.chat)]
    )


def _has_password(store: Store) -> bool:
    return store.url is not None and bool(urlsplit(store.url.get_secret_value()).password)
