"""`init`: write a configuration from flags, and from questions where a flag is missing."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.output import say
from bounce_watch.config.load import SYSTEM_PATH, read_config
from bounce_watch.config.organisation import MIN_RETENTION_DAYS, Retention
from bounce_watch.config.template import render


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """The values of the flags; None, empty or [] for a flag that was not given."""

    organisation: str | None
    domains: list[str]
    mailbox: str | None
    maildir: Path | None
    admins: list[str]
    support: str | None
    imap_host: str
    smtp_host: str
    tenant: str | None
    client_id: str | None
    out_folder: Path | None
    store: Path | None
    time_zone: str
    keep_days: int | None = None


def init(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")
    ] = None,
    organisation: Annotated[str | None, typer.Option(help="Your organization's name.")] = None,
    domain: Annotated[
        list[str] | None, typer.Option(help="A domain your people send from; repeat it.")
    ] = None,
    mailbox: Annotated[str | None, typer.Option(help="Address of the mailbox that collects bounces.")] = None,
    maildir: Annotated[Path | None, typer.Option(help="Read a Maildir instead of an IMAP mailbox.")] = None,
    admin: Annotated[
        list[str] | None, typer.Option(help="Who gets alerts and the digest; repeat it.")
    ] = None,
    support: Annotated[str | None, typer.Option(help="Whom colleagues may ask: address or phone.")] = None,
    imap_host: Annotated[str, typer.Option(help="IMAP server.")] = "outlook.office365.com",
    smtp_host: Annotated[str, typer.Option(help="Submission server.")] = "smtp.office365.com",
    tenant: Annotated[
        str | None, typer.Option(help="Entra tenant: sign in to Exchange Online with OAuth.")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="Entra application (client) ID.")] = None,
    out_folder: Annotated[
        Path | None, typer.Option(help="Write mail to a folder instead of sending it.")
    ] = None,
    store: Annotated[Path | None, typer.Option(help="Database file.")] = None,
    time_zone: Annotated[str, typer.Option(help="IANA name of your time zone.")] = "",
    keep_days: Annotated[
        int | None, typer.Option(min=0, help="Days that bounces are kept; 0: for ever. (default: 400)")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a configuration by asking a few questions."""
    given = _Given(
        organisation=organisation,
        domains=domain or [],
        mailbox=mailbox,
        maildir=maildir,
        admins=admin or [],
        support=support,
        imap_host=imap_host,
        smtp_host=smtp_host,
        tenant=tenant,
        client_id=client_id,
        out_folder=out_folder,
        store=store,
        time_zone=time_zone,
        keep_days=keep_days,
    )
    _write_config(_complete(given), output or context.obj, force=force)


def _complete(given: _Given) -> _Given:
    """Ask for what is missing; without a terminal, exit and name the missing flags."""
    _demand_terminal(given)
    domains = given.domains or _several("Which domains do your people send from? (comma between them)")
    first = domains[0]
    known = replace(
        given,
        organisation=given.organisation or _ask("What is your organization's name?"),
        domains=domains,
        mailbox=given.mailbox or _ask("Which mailbox collects the bounces?", f"bounces@{first}"),
        admins=given.admins or _several("Who gets alerts and the daily digest?", f"postmaster@{first}"),
        support=given.support or _ask("Whom may colleagues ask for help?", f"helpdesk@{first}"),
        time_zone=given.time_zone or _local_zone(),
    )
    tenant = _tenant(given)
    return replace(known, tenant=tenant, client_id=_client_id(given, tenant), keep_days=_keep_days(given))


def _tenant(given: _Given) -> str | None:
    """Return the Entra tenant; ask for it only when a server is used and there is a terminal."""
    needs_server = given.maildir is None or given.out_folder is None
    if given.tenant is not None or not needs_server or not sys.stdin.isatty():
        return given.tenant
    return _ask("Entra tenant ID for Exchange Online (empty: sign in with a password)", "")


def _client_id(given: _Given, tenant: str | None) -> str | None:
    if given.client_id is not None or not tenant or not sys.stdin.isatty():
        return given.client_id
    return _ask("Application (client) ID of the app registration")


def _keep_days(given: _Given) -> int:
    """Return how many days bounces are kept; without a terminal, the default."""
    if given.keep_days is not None:
        return given.keep_days
    if not sys.stdin.isatty():
        return Retention().days
    question = f"How many days are bounces kept? ({MIN_RETENTION_DAYS} or more; 0: for ever)"
    while True:
        days: int = typer.prompt(question, default=Retention().days, type=int, err=True)
        if days == 0 or days >= MIN_RETENTION_DAYS:
            return days


def _demand_terminal(given: _Given) -> None:
    needed = {
        "--organisation": given.organisation,
        "--domain": given.domains,
        "--mailbox": given.mailbox,
        "--admin": given.admins,
        "--support": given.support,
    }
    missing = [flag for flag, value in needed.items() if not value]
    if missing and not sys.stdin.isatty():
        say(f"bounce-watch: nobody is there to answer questions; add {', '.join(missing)}")
        raise typer.Exit(Exit.USAGE)


def _ask(question: str, default: str | None = None) -> str:
    return str(typer.prompt(question, default=default, show_default=bool(default), err=True)).strip()


def _several(question: str, default: str | None = None) -> list[str]:
    return [word.strip() for word in _ask(question, default).split(",") if word.strip()]


def _local_zone() -> str:
    """Return the name of the machine's time zone, UTC if it is unknown."""
    link = Path("/etc/localtime")
    return str(link.resolve()).partition("zoneinfo/")[2] or "UTC"


def _sections_of(given: _Given) -> dict[str, dict[str, Any]]:
    """Return the sections of the configuration file."""
    login: dict[str, Any] = {"auth": "password"}
    if given.tenant:
        oauth = {"tenant": given.tenant, "client_id": given.client_id or "CLIENT-ID"}
        login = {"auth": "xoauth2", "oauth": oauth}
    source: dict[str, Any] = {"type": "imap", "host": given.imap_host, "user": given.mailbox, **login}
    if given.maildir:
        source = {"type": "maildir", "path": given.maildir.absolute()}
    send: dict[str, Any] = {"type": "smtp", "host": given.smtp_host, "user": given.mailbox, **login}
    if given.out_folder:
        send = {"type": "folder", "path": given.out_folder.absolute()}
    sections: dict[str, dict[str, Any]] = {
        "organisation": {
            "name": given.organisation,
            "accepted_domains": given.domains,
            "support": given.support,
            "admins": given.admins,
            "time_zone": given.time_zone,
        },
        "source": source,
        "send": send,
        "reply": {"from_address": given.mailbox, "mode": "preview"},
        "retention": {"days": given.keep_days},
    }
    if given.store:
        sections["store"] = {"path": given.store.absolute()}
    return sections


def _write_config(given: _Given, output: Path | None, *, force: bool) -> None:
    """Write the file (mode 0600) after a check that it can be read."""
    path = output or SYSTEM_PATH
    text = render(_sections_of(given))
    read_config(text.encode(), path)
    if path.exists() and not force:
        say(f"bounce-watch: {path} exists; use --force to replace it or --output for another place")
        raise typer.Exit(Exit.FAILED)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        say(f"bounce-watch: cannot write {path}: {error.strerror}; choose a place with --output")
        raise typer.Exit(Exit.FAILED) from None
    say(f"Wrote {path}. Replies start in preview: nothing is sent to colleagues until you say so.")
    say(f"Next: put the password or secret in its place, then: bounce-watch --config {path} check")
