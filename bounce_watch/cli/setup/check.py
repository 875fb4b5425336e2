"""`check`: test configuration, store, templates, mailbox and sending. Only --probe sends a message."""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from bounce_watch import shipped_files
from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.output import print_checks
from bounce_watch.cli.learn.reclassify import check_verdicts
from bounce_watch.cli.setup.check_services import check_chat, check_dns
from bounce_watch.cli.setup.probe import read_span, run_probe
from bounce_watch.config.accounts import ImapSettings, Login, SmtpSettings, SourceSettings, is_exchange_online
from bounce_watch.config.load import ConfigError, load_config
from bounce_watch.config.models import Config
from bounce_watch.config.secrets import SecretError, login_lookup
from bounce_watch.model.check import Check
from bounce_watch.net.client_certificate import read_certificate
from bounce_watch.notifications.template_check import check_templates
from bounce_watch.pipeline.context import read_catalogue, read_rules
from bounce_watch.pipeline.wiring import sender_of, source_of
from bounce_watch.store import Server, StoreMissing, open_store, require_fit, store_location, workers

_WARN_BEFORE = timedelta(days=30)
_CERTIFICATE_REPAIR = (
    "make a new one, upload it beside the old one under Entra > App registrations > Certificates & secrets, "
    "and name it in certificate_file"
)
_MODES = {"off": "no answers", "preview": "answers are held for release", "on": "answers are sent"}


def check(
    context: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Do not connect to any server.")] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Send one mail that must bounce, and tell what comes back.")
    ] = False,
    to: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="With --probe: an address that must bounce.")
    ] = None,
    wait: Annotated[str, typer.Option(help="With --probe: how long, such as 90s, 10m, 1h.")] = "10m",
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="With --probe: you send the mail, from any mailbox.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as failures.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Test every part of the setup and suggest fixes.

    Only --probe sends a message; none is moved.
    """
    if offline and probe:
        raise typer.BadParameter("--probe needs the servers: leave --offline out")
    span = read_span(wait)
    checks = list(_check_all(context.obj, offline=offline))
    print_checks(checks, as_json=as_json)
    if probe:
        came = _probe(context.obj, checks, to=to, wait=span, by_hand=by_hand)
        print_checks(came, as_json=as_json)
        checks += came
    failed = [one.name for one in checks if one.state == "failure"]
    if failed:
        raise typer.Exit(Exit.CONFIGURATION if "configuration" in failed else Exit.FAILED)
    if strict and any(one.state == "warning" for one in checks):
        raise typer.Exit(Exit.FAILED)


def _probe(
    path: Path | None, checks: Iterable[Check], *, to: str | None, wait: timedelta, by_hand: bool
) -> list[Check]:
    """Send the probe and wait, unless a check failed."""
    if any(one.state == "failure" for one in checks):
        text, repair = "not sent: something is broken already", "repair what failed above first"
        return [Check("probe", "failure", text, repair)]
    return list(run_probe(load_config(path), to=to, wait=wait, by_hand=by_hand))


def _check_all(path: Path | None, *, offline: bool) -> Iterator[Check]:
    """Check each part; without a valid configuration only that."""
    try:
        config = load_config(path)
    except ConfigError as error:
        yield from (Check("configuration", "failure", text, error.repair) for text in error.problems)
        return
    domains = ", ".join(config.organisation.accepted_domains)
    yield Check("configuration", "ok", f"{config.organisation.name} ({domains}); {_MODES[config.reply.mode]}")
    yield from _guarded("store", _check_store, config)
    yield from _guarded("catalogue and rules", _check_knowledge, config)
    yield from _guarded("verdicts", check_verdicts, config)
    yield from _guarded("templates", _check_templates, config)
    for fault in config.owner_faults:
        yield Check("owners", "failure", fault, "edit that line; the service keeps the rows before")
    yield from _check_secrets(config)
    yield from _check_password_sign_in(config)
    yield from _guarded("certificate", _check_certificates, config)
    if not offline:
        for settings in config.source:
            name = "mailbox" if len(config.source) == 1 else f"mailbox {settings.label}"
            yield from _guarded(name, partial(_check_mailbox, settings), config)
        yield from _guarded("sending", lambda config: sender_of(config).diagnose(), config)
        yield from _guarded("DNS", check_dns, config)
    yield from _guarded("chat", check_chat, config)


def _guarded(name: str, part: Callable[[Config], Iterable[Check]], config: Config) -> Iterator[Check]:
    """Turn every error of a part into a failed check, so that one broken part does not hide the others."""
    try:
        yield from part(config)
    except SecretError as error:
        yield Check(name, "failure", str(error), error.repair)
    except Exception as error:  # noqa: BLE001 - any error is a result of the check
        repair = str(getattr(error, "repair", ""))
        repair = repair or "see the message; bounce-watch --help names the commands"
        yield Check(name, "failure", str(error) or type(error).__name__, repair)


def _check_store(config: Config) -> Iterator[Check]:
    place = store_location(config.store)
    try:
        with open_store(place, read_only=True) as store:
            count = store.summary.stats().bounces
    except StoreMissing:
        yield _check_missing_file(place) if isinstance(place, Path) else _check_empty_database(place)
        return
    yield Check("store", "ok", f"{place} holds {count} bounces")
    if at_work := workers(place):
        verb = "is" if len(at_work) == 1 else "are"
        yield Check("service", "ok", f"{', '.join(at_work)} {verb} at work with this store")


def _check_empty_database(server: Server) -> Check:
    require_fit(server)
    return Check("store", "ok", f"{server} is empty; the first run makes the store in it")


def _check_missing_file(path: Path) -> Check:
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if os.access(folder, os.W_OK | os.X_OK):
        return Check("store", "ok", f"{path} will be made at the first run")
    text = f"{path} cannot be made: {folder} may not be written by this account"
    repair = "run as the service's account, or set store.path to a place it may write"
    return Check("store", "failure", text, repair)


def _check_knowledge(config: Config) -> Iterator[Check]:
    catalogue, rules = read_catalogue(config), len(read_rules(config))
    own = config.overrides.codes
    if own is not None and not own.exists():
        fix = "check [overrides] codes; `bounce-watch teach` creates the file"
        yield Check("your codes", "warning", f"{own} does not exist, so only the shipped meanings apply", fix)
    yield Check(
        "catalogue and rules",
        "ok",
        f"{len(catalogue.rows)} meanings of codes (version {catalogue.version}), {rules} rules",
    )


def _check_templates(config: Config) -> Iterator[Check]:
    """Render every text that the site's own templates change; the shipped ones are only counted."""
    shipped, own = shipped_files.templates(), config.overrides.templates
    if own is None:
        count = sum(1 for _ in shipped.rglob("*.j2"))
        text = f"{count} texts, none of your own"
        missing = Check("templates", "failure", text, "install the program anew")
        yield Check("templates", "ok", text) if count else missing
        return
    problems = check_templates([own, shipped])
    yield from (Check("templates", "failure", problem, "edit that file") for problem in problems)
    if not problems:
        yield Check("templates", "ok", "every text can be written")


def _check_secrets(config: Config) -> Iterator[Check]:
    """Warn of each secret that is missing, also offline."""
    label = "{}: " if len(config.source) > 1 else ""
    logins: list[tuple[str, Login, str]] = [
        (label.format(settings.label), settings, "imap")
        for settings in config.source
        if isinstance(settings, Login)
    ]
    if isinstance(config.send, Login) and config.send.auth != "none":
        logins.append(("", config.send, "smtp"))
    for name, login, prefix in logins:
        try:
            login_lookup(login, prefix).read()
        except SecretError as error:
            yield Check(f"{name}{prefix.upper()} secret", "warning", str(error), error.repair)


def _check_password_sign_in(config: Config) -> Iterator[Check]:
    """Warn of a password for Exchange Online, which takes none over IMAP and soon none to send.

    Source: Exchange team blog, newest post on SMTP AUTH (read 2026-11).
    """
    send = config.send
    if isinstance(send, SmtpSettings) and send.auth == "password" and is_exchange_online(send.host):
        text = (
            "signs in with a password; Exchange Online turns these off for SMTP AUTH by default at the end "
            "of December 2026 (5.7.30). Admins can turn them on again; the final date will be announced later"
        )
        yield Check("sending with a password", "warning", text, 'set send.auth = "xoauth2" and [send.oauth]')
    for source in config.source:
        if isinstance(source, ImapSettings) and source.auth == "password" and is_exchange_online(source.host):
            text = f"{source.host} takes no passwords over IMAP, only OAuth"
            yield Check(
                f"{source.label} with a password", "warning", text, 'set auth = "xoauth2" and its oauth table'
            )


def _check_certificates(config: Config) -> Iterator[Check]:
    """Check when each certificate ends that a login uses: Entra sends no reminder.

    Raises UnusableCertificate and SecretError.
    """
    logins = [*((login, "imap") for login in config.source), (config.send, "smtp")]
    files = {
        login.oauth.certificate_file: login_lookup(login, prefix).read
        for login, prefix in logins
        if isinstance(login, Login) and login.auth == "xoauth2"
        if login.oauth and login.oauth.certificate_file
    }
    for file, passphrase in files.items():
        ends = read_certificate(file, passphrase()).ends_at
        left = ends - datetime.now(UTC)
        state: Literal["ok", "warning", "failure"] = "ok"
        if left < _WARN_BEFORE:
            state = "warning" if left > timedelta(0) else "failure"
        repair = "" if state == "ok" else _CERTIFICATE_REPAIR
        yield Check("certificate", state, f"{file} ends on {ends:%Y-%m-%d}", repair)


def _check_mailbox(settings: SourceSettings, config: Config) -> Iterator[Check]:
    prefix = "" if len(config.source) == 1 else f"{settings.label}: "
    for one in source_of(settings).diagnose():
        yield one._replace(name=f"{prefix}{one.name}")
