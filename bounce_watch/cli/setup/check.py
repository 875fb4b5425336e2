"""Test every part of the set-up: configuration, store, texts, mailbox, sending. Nothing is sent or moved.

When the certificates end with which the application signs in: Entra warns nobody."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bounce_watch.config.accounts import Login, SourceSettings
from bounce_watch.config.load import ConfigError, load_config
from bounce_watch.config.models import Config
from bounce_watch.config.secrets import SecretError, login_secret
from bounce_watch.net.client_certificate import read_certificate

if TYPE_CHECKING:
    from bounce_watch.config.models import Config

WARN_BEFORE = timedelta(days=30)
_REPAIR = (
    "make a new one, upload it beside the old one under Entra > App registrations > Certificates & secrets, "
    "and name it in certificate_file"
)


def certificates(config: "Config") -> Iterator["Finding"]:
    """Yield a line for each certificate file. Raises UnusableCertificate and SecretError."""

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


if TYPE_CHECKING:
    from bounce_watch.store import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `check`: `state` is ok, warning or failure; `repair` says what mends it.

    `commands` are lines of PowerShell to paste.
    """

    name: str
    state: str
    text: str
    repair: str = ""
    commands: tuple[str, ...] = ()

    @property
    def row(self) -> dict[str, Any]:
        plain = {"name": self.name, "state": self.state, "text": self.text, "repair": self.repair}
        return plain | {"commands": list(self.commands)}


def checkup(place: Path | None, *, offline: bool) -> Iterator[Finding]:
    """Yield a finding for each part; without a configuration there is only one."""
    try:
        config = load_config(place)
    except ConfigError as error:
        yield from (
            Finding(name="configuration", state="failure", text=problem, repair=error.repair)
            for problem in error.problems
        )
        return
    yield Finding(name="configuration", state="ok", text=_about(config))
    yield from _guarded("store", _store, config)
    yield from _guarded("catalogue and rules", _knowledge, config)
    yield from _guarded("templates", _templates, config)
    for name, login, prefix in _logins(config):
        yield from _secret(name, login, prefix)
    yield from _guarded("certificate", certificates, config)
    if not offline:
        for settings in config.source:
            name = "mailbox" if len(config.source) == 1 else f"mailbox {settings.label}"
            yield from _guarded(name, partial(_mailbox, settings), config)
        yield from _guarded("sending", _sending, config)
    yield from _guarded("chat", _chat, config)


def _about(config: Config) -> str:
    mode = {"off": "no answers", "preview": "answers are held for release", "on": "answers are sent"}
    domains = ", ".join(config.organisation.accepted_domains)
    return f"{config.organisation.name} ({domains}); {mode[config.reply.mode]}"


def _logins(config: Config) -> Iterator[tuple[str, Login, str]]:
    """Yield whatever signs in: what people call it, its settings, and how its secrets' names begin."""
    for settings in config.source:
        if isinstance(settings, Login):
            yield f"{settings.label}: " if len(config.source) > 1 else "", settings, "imap"
    if isinstance(config.send, Login) and config.send.auth != "none":
        yield "", config.send, "smtp"


def _secret(name: str, login: Login, prefix: str) -> Iterator[Finding]:
    """Warn of a secret that is missing, also where no server can be asked; the sign-in tells the rest."""
    try:
        login_secret(login, prefix)
    except SecretError as error:
        named = f"{name}{prefix.upper()} secret"
        yield Finding(name=named, state="warning", text=str(error), repair=error.repair)


def _guarded(name: str, part: Callable[[Config], Iterator[Finding]], config: Config) -> Iterator[Finding]:
    """Turn every fault of a part into a line: one broken part must not hide the others."""
    try:
        yield from part(config)
    except SecretError as error:
        yield Finding(name=name, state="failure", text=str(error), repair=error.repair)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        repair = (
            str(getattr(error, "repair", "")) or "see the message; bounce-watch --help names the commands"
        )
        yield Finding(name=name, state="failure", text=str(error) or type(error).__name__, repair=repair)


def _store(config: Config) -> Iterator[Finding]:
    from bounce_watch.store import StoreMissing, open_store, place_of, workers

    place = place_of(config.store)
    try:
        with open_store(place, read_only=True) as store:
            count = store.summary.stats().bounces
    except StoreMissing:
        yield _missing_file(place) if isinstance(place, Path) else _empty_database(place)
        return
    yield Finding(name="store", state="ok", text=f"{place} holds {count} bounces")
    if at_work := workers(place):
        verb = "is" if len(at_work) == 1 else "are"
        text = f"{', '.join(at_work)} {verb} at work with this store"
        yield Finding(name="service", state="ok", text=text)


def _empty_database(server: "Server") -> Finding:
    from bounce_watch.store import require_fit

    require_fit(server)
    return Finding(name="store", state="ok", text=f"{server} is empty; the first run makes the store in it")


def _missing_file(path: Path) -> Finding:
    import os

    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if os.access(folder, os.W_OK | os.X_OK):
        return Finding(name="store", state="ok", text=f"{path} will be made at the first run")
    return Finding(
        name="store",
        state="failure",
        text=f"{path} cannot be made: {folder} may not be written by this account",
        repair="run as the service's account, or set store.path to a place it may write",
    )


def _knowledge(config: Config) -> Iterator[Finding]:
    from bounce_watch.pipeline.context import read_catalogue, read_rules

    rows, rules = len(read_catalogue(config).rows), len(read_rules(config))
    yield Finding(name="catalogue and rules", state="ok", text=f"{rows} meanings of codes, {rules} rules")


def _templates(config: Config) -> Iterator[Finding]:
    """Write every text that a site's own templates change; ours alone were written by the tests."""
    from bounce_watch import shipped_files
    from bounce_watch.notifications.template_check import check_templates

    shipped, own = shipped_files.templates(), config.overrides.templates
    if own is None:
        count = sum(1 for path in shipped.rglob("*.j2"))
        state = "ok" if count else "failure"
        repair = "" if count else "install the program anew"
        yield Finding(name="templates", state=state, text=f"{count} texts, none of your own", repair=repair)
        return
    problems = check_templates([own, shipped])
    yield from (Finding(name="templates", state="failure", text=p, repair="mend that file") for p in problems)
    if not problems:
        yield Finding(name="templates", state="ok", text="every text can be written")


def _mailbox(settings: SourceSettings, config: Config) -> Iterator[Finding]:
    from bounce_watch.pipeline.wiring import source_of

    prefix = "" if len(config.source) == 1 else f"{settings.label}: "
    for check in source_of(settings).diagnose():
        yield Finding(**check._replace(name=f"{prefix}{check.name}")._asdict())


def _sending(config: Config) -> Iterator[Finding]:
    from bounce_watch.pipeline.wiring import sender_of

    yield from (Finding(**check._asdict()) for check in sender_of(config).diagnose())


def _chat(config: Config) -> Iterator[Finding]:
    from bounce_watch.config.secrets import chat_url
    from bounce_watch.send.chat import Room

    for chat in config.alerts.chat:
        Room(chat_url(chat))
        yield Finding(name=f"chat {chat.name}", state="ok", text=f"told of: {', '.join(chat.owners)}")
