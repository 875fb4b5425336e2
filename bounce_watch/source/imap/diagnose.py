"""Test a mailbox step by step for `bounce-watch check`, without changing anything in it."""

from collections.abc import Callable
from contextlib import closing

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.config.secrets import SecretError
from bounce_watch.model.check import Check
from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.folders import Folders
from bounce_watch.source.interface import SourceError


def diagnose(settings: ImapSettings, sign_in: Callable[[Connection], None]) -> list[Check]:
    """Return one line per step, up to the first failure, because the other steps depend on it."""
    try:
        connection = Connection(settings)
    except SourceError as error:
        return [_failure("IMAP connection", error)]
    where = f"{settings.host}:{settings.port} answers, protected by {connection.protection}"
    checks = [Check("IMAP connection", "ok", where)]
    with closing(connection):
        try:
            sign_in(connection)
        except (SourceError, SecretError) as error:
            return [*checks, _failure("IMAP sign-in", error)]
        checks.append(Check("IMAP sign-in", "ok", f"signed in as {settings.user} ({settings.auth})"))
        try:
            return [*checks, *_mailbox(settings, connection)]
        except SourceError as error:
            return [*checks, _failure("IMAP folders", error)]


def _mailbox(settings: ImapSettings, connection: Connection) -> list[Check]:
    folders = Folders(connection)
    return [
        _watched(settings.folder, folders),
        _target("IMAP filed folder", settings.filed_folder, folders),
        _target("IMAP quarantine folder", settings.quarantine_folder, folders),
        _moving(connection.capabilities),
    ]


def _watched(folder: str, folders: Folders) -> Check:
    try:
        opened = folders.open(folder, read_only=True)
    except SourceError as error:
        return _failure("IMAP watched folder", error)
    return Check("IMAP watched folder", "ok", f"{folder} opens and holds {opened.exists} messages")


def _target(name: str, folder: str, folders: Folders) -> Check:
    if folders.exists(folder):
        return Check(name, "ok", f"{folder} is there")
    return Check(name, "warning", f"{folder} is not there yet", "it will be made when it is first needed")


def _moving(capabilities: frozenset[str]) -> Check:
    name = "IMAP moving"
    if "MOVE" in capabilities:
        return Check(name, "ok", "the server moves messages in one step (MOVE)")
    if "UIDPLUS" in capabilities:
        return Check(name, "ok", "the server copies and removes messages (UIDPLUS)")
    return Check(
        name,
        "warning",
        "the server offers neither MOVE nor UIDPLUS: filed messages stay, marked as deleted",
        "expunge the watched folder now and then",
    )


def _failure(name: str, error: SourceError | SecretError) -> Check:
    return Check(name, "failure", str(error), error.repair, error.commands)
