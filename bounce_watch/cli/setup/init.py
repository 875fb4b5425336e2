"""`init`: write a short configuration from flags, and from questions where a flag is missing."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.output import say
from bounce_watch.cli.common.pages import write_privately
from bounce_watch.cli.setup.check import check
from bounce_watch.cli.setup.questions import EXCHANGE_ONLINE, SUBMISSION, Given, complete
from bounce_watch.config.load import SYSTEM_PATH, read_config
from bounce_watch.config.template import render


def init(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")
    ] = None,
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", "--organization", metavar="NAME", help="Your organization's name."),
    ] = None,
    domain: Annotated[
        list[str] | None, typer.Option(help="A domain your people send from; repeat it.")
    ] = None,
    mailbox: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address of the mailbox that collects bounces.")
    ] = None,
    maildir: Annotated[Path | None, typer.Option(help="Read a Maildir instead of an IMAP mailbox.")] = None,
    admin: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Who gets alerts and the digest; repeat it.")
    ] = None,
    security: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Who hears of compromised accounts; repeat it."),
    ] = None,
    support: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Whom colleagues may ask: an address or a phone.")
    ] = None,
    imap_host: Annotated[str | None, typer.Option(help=f"IMAP server (default: {EXCHANGE_ONLINE}).")] = None,
    smtp_host: Annotated[
        str | None, typer.Option(help=f"Submission server (default: {SUBMISSION}, or the IMAP server).")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Entra tenant: sign in to Exchange Online with OAuth.")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="Entra application (client) ID.")] = None,
    out_folder: Annotated[
        Path | None, typer.Option(help="Write messages to a folder instead of sending them.")
    ] = None,
    store: Annotated[Path | None, typer.Option(help="Database file.")] = None,
    time_zone: Annotated[
        str, typer.Option(help="IANA name of your time zone (default: this machine's).")
    ] = "",
    keep_days: Annotated[
        int | None, typer.Option(min=0, help="Days that bounces are kept; 0: forever. (default: 400)")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; take the defaults.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a configuration by asking a few questions."""
    given = Given(
        organisation=organisation,
        domains=domain or [],
        mailbox=mailbox,
        maildir=maildir,
        admins=admin or [],
        security=security or [],
        support=support,
        imap_host=imap_host,
        smtp_host=smtp_host,
        tenant=tenant,
        client_id=client_id,
        out_folder=out_folder,
        store=store,
        time_zone=time_zone,
        keep_days=keep_days,
        asks=not yes and sys.stdin.isatty(),
    )
    path = _write_config(complete(given), output or context.obj, force=force)
    if given.asks and typer.confirm("Check it now?", default=True, err=True):
        context.obj = path
        check(context)


def _sections_of(given: Given) -> dict[str, dict[str, Any]]:
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
            **({"security": given.security} if given.security else {}),
            "time_zone": given.time_zone,
        },
        "source": source,
        "send": send,
        "reply": {"from_address": given.mailbox, "mode": "preview"},
        "retention": {"days": given.keep_days},
        "dns": {"use": "incidents"},
    }
    if given.store:
        sections["store"] = {"path": given.store.absolute()}
    return sections


def _write_config(given: Given, output: Path | None, *, force: bool) -> Path:
    """Write the file (mode 0600) after a check that it can be read."""
    path = output or SYSTEM_PATH
    text = render(_sections_of(given))
    read_config(text.encode(), path)
    if path.exists() and not force:
        say(f"bounce-watch: {path} exists; use --force to replace it or --output for another place")
        raise typer.Exit(Exit.FAILED)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_privately(path, text)
    except OSError as error:
        say(f"bounce-watch: cannot write {path}: {error.strerror}; choose a place with --output")
        raise typer.Exit(Exit.FAILED) from None
    say(f"Wrote {path}. Replies start in preview: nothing is sent to colleagues until you say so.")
    say(f"Next: put the password or secret in its place, then: bounce-watch --config {path} check")
    return path
