"""`init` writes a configuration, `check` tests every part of it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bounce_watch.notifications.rendering.safe_text import for_terminal

if TYPE_CHECKING:
    from bounce_watch.cli.setup.check import Finding

ConfigOut = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")]


def register(app: typer.Typer) -> None:
    app.command()(init)
    app.command()(check)


def init(
    context: typer.Context,
    output: ConfigOut = None,
    organisation: Annotated[str | None, typer.Option(help="Your organisation's name.")] = None,
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
    """Write a commented configuration by asking a few questions."""
    from bounce_watch.cli.setup.interview import Given, complete, write_config

    given = Given(
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
    write_config(complete(given), output or context.obj, force=force)


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
    """Test every part of the set-up and say what repairs it. Only --probe sends a mail; none is moved."""
    from bounce_watch.cli.common.exit_status import Exit
    from bounce_watch.cli.setup.check import checkup
    from bounce_watch.cli.setup.probe import read_span

    if offline and probe:
        raise typer.BadParameter("--probe needs the servers: leave --offline out")
    span = read_span(wait)
    findings = list(checkup(context.obj, offline=offline))
    print_checks((finding.row for finding in findings), as_json=as_json)
    if probe:
        came = _probed(context.obj, findings, to=to, wait=span, by_hand=by_hand)
        print_checks((finding.row for finding in came), as_json=as_json)
        findings += came
    states = {finding.state for finding in findings}
    if "failure" in states:
        broken = any(finding.state == "failure" and finding.name == "configuration" for finding in findings)
        raise typer.Exit(Exit.CONFIGURATION if broken else Exit.FAILED)
    if strict and "warning" in states:
        raise typer.Exit(Exit.FAILED)


def _probed(
    place: Path | None, checked: "list[Finding]", *, to: str | None, wait: timedelta, by_hand: bool
) -> "list[Finding]":
    """Send the probe and wait, unless something is broken already."""
    from bounce_watch.cli.setup.check import Finding
    from bounce_watch.cli.setup.probe import probe
    from bounce_watch.config.load import load_config

    if any(finding.state == "failure" for finding in checked):
        text, repair = "not sent: something is broken already", "repair what failed above first"
        return [Finding(name="probe", state="failure", text=text, repair=repair)]
    return list(probe(load_config(place), to=to, wait=wait, by_hand=by_hand))


def print_checks(rows: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print findings, each with what repairs it."""
    from bounce_watch.cli.common.output import Column, emit, form_of

    rows = list(rows)
    signs = {"ok": "ok", "warning": "WARN", "failure": "FAIL"}
    columns = [
        Column(key="state", title="", show=lambda row: signs[row["state"]]),
        Column(key="name", title="Part"),
        Column(key="text", title="Finding, and what repairs it", show=_finding_and_repair),
    ]
    emit(rows, columns, form_of(as_json))
    if not as_json:
        _print_commands(rows)


def _print_commands(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print the commands of all findings below the table: a cell would break them, and paste them broken."""
    for row in rows:
        if row.get("commands"):
            typer.echo(
                f"\nTo repair {for_terminal(row['name'])}, in PowerShell connected to Exchange Online:\n"
            )
            typer.echo("\n".join(f"    {for_terminal(command)}" for command in row["commands"]))


def _finding_and_repair(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (row["text"], f"-> {row['repair']}") if row["repair"] else (row["text"],)
