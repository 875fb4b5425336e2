"""`incidents`: list and show incidents, with evidence and steps, and write a case pack."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.bounce_json import row_json
from bounce_watch.cli.common.filters import AsCsv, AsJson
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import (
    Column,
    emit,
    emit_json,
    form_of,
    local,
    picked,
    print_prose,
    say,
    two_lines,
)
from bounce_watch.cli.dns.dns import finding_json
from bounce_watch.cli.incidents import Number, change, read_number
from bounce_watch.cli.incidents.case_pack import pack_files, write_files
from bounce_watch.config.load import load_config
from bounce_watch.model import Incident, IncidentState, Owner, Severity
from bounce_watch.model.dns import DnsFinding, RecordChange
from bounce_watch.notifications.alert.playbooks import shipped_playbooks
from bounce_watch.notifications.alert.steps import fill_steps
from bounce_watch.notifications.alert.wording import NOT_CONFIRMED
from bounce_watch.notifications.rendering.labels import OWNERS, SEVERITIES
from bounce_watch.notifications.rendering.refusal_details import common_evidence
from bounce_watch.pipeline.context import read_catalogue, read_rules
from bounce_watch.pipeline.incidents.dns_facts import dns_facts_of
from bounce_watch.store import BounceRow, IncidentDetail


def _standing(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the name and status of an incident, as lines of a cell."""
    if row["standing"] == "suppressed":
        return (row["incident"], "suppressed by", row["suppressed_by"])
    return (row["incident"], row["standing"])


def _what(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (row["title"], row["key"], *([] if row["confirmed"] else [NOT_CONFIRMED]))


INCIDENT_COLUMNS = (
    Column("incident", "Incident", show=_standing),
    Column("title", "What\nwho or where", show=_what, flexible=True),
    Column("mails", "Mails", right=True),
    Column("opened_at", "Opened", show=lambda row: two_lines(row["opened_at"])),
    Column(
        "owner",
        "Severity\nOwner",
        show=lambda row: (SEVERITIES[Severity(row["severity"])], OWNERS[Owner(row["owner"])]),
    ),
)

incidents = typer.Typer(help="List, acknowledge and close incidents.", invoke_without_command=True)
incidents.add_typer(change.commands)


@incidents.callback()
def _list_by_default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_incidents(context)


@incidents.command("list")
def list_incidents(
    context: typer.Context,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only those that are not resolved or archived.")
    ] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List incidents, newest first."""
    with read_store(context.obj) as store:
        found = store.incidents.list_open() if only_open else store.incidents.list()
    emit(map(incident_json, found), INCIDENT_COLUMNS, form_of(as_json, as_csv), empty="No incidents.")


def incident_json(incident: Incident) -> dict[str, Any]:
    finding = incident.finding
    return {
        "incident": incident.name,
        "state": incident.state,
        "standing": incident.standing(datetime.now(UTC)),
        **picked(finding, "severity title confirmed key rule=rule_id owner playbook"),
        **picked(incident, "opened_at updated_at quiet_since"),
        "resolved_at": incident.resolved_at if incident.state is IncidentState.RESOLVED else None,
        "archived_at": incident.resolved_at if incident.state is IncidentState.ARCHIVED else None,
        **picked(incident, "acknowledged_at acknowledged_by silenced_until"),
        "suppressed_by": None if incident.suppressed_by is None else f"INC-{incident.suppressed_by}",
        **picked(incident, "reopened historical"),
        **picked(finding, "first_at last_at mails=messages"),
        "senders": list(finding.senders),
        "recipient_domains": list(finding.recipient_domains),
        "codes": list(finding.statuses),
    }


@incidents.command("show")
def show_incident(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Show one incident: the proof, its history, and what to do step by step."""
    with read_store(context.obj) as store:
        detail = store.incidents.show(read_number(number))
        rules = {rule.id: rule for rule in read_rules(load_config(context.obj))}
        rule = rules.get(detail.incident.finding.rule_id)
        findings, changes = dns_facts_of(store, rule, detail.incident)
    if as_json:
        bounces = [row_json(row) for row in detail.bounces]
        steps = [{"text": s.text, "where": s.where, "commands": s.commands} for s in _steps(detail)]
        dns = [finding_json(one) for one in findings]
        emit_json({**incident_json(detail.incident), "dns": dns, "steps": steps, "bounces": bounces})
    else:
        print_prose(_lines(detail, (*map(_dns_line, findings), *map(_change_line, changes))))


@incidents.command()
def pack(
    context: typer.Context,
    number: Number,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new folder goes in here.")],
    redact: Annotated[
        bool, typer.Option("--redact", help="Replace addresses and domains by invented ones.")
    ] = False,
) -> None:
    """Write a folder for a support case: timeline, codes, commands and sample reports."""
    with read_store(context.obj) as store:
        detail = store.incidents.show(read_number(number))
    folder = out / detail.incident.name
    if folder.exists():
        raise typer.BadParameter(f"{folder} is there already", param_hint="--out")
    catalogue = read_catalogue(load_config(context.obj))
    write_files(folder, pack_files(detail, _steps(detail), catalogue, redact=redact))
    say(f"Written to {folder}; read it before you send it.")


def _steps(detail: IncidentDetail) -> tuple[Any, ...]:
    playbooks = shipped_playbooks()
    finding = detail.incident.finding
    return fill_steps(playbooks[finding.playbook], finding) if finding.playbook in playbooks else ()


def _lines(detail: IncidentDetail, dns: Sequence[str]) -> list[str]:
    incident, finding = detail.incident, detail.incident.finding
    evidence = common_evidence(row.bounce.details for row in detail.bounces if row.bounce.details)
    lines = [
        f"{incident.name} ({incident.standing(datetime.now(UTC))}, {finding.severity}): {finding.title}",
        *([] if finding.confirmed else [NOT_CONFIRMED.capitalize()]),
        f"{finding.key}; {finding.messages} mails from {local(finding.first_at)} to {local(finding.last_at)}",
        f"Codes: {', '.join(finding.statuses) or 'none'}",
        f"Senders: {', '.join(finding.senders)}",
        f"Domains: {', '.join(finding.recipient_domains)}",
        *(f"Evidence: {line}" for line in evidence),
        *dns,
        *_life(incident),
        "",
        f"What to do (owner: {OWNERS[finding.owner]})",
    ]
    for place, step in enumerate(_steps(detail), 1):
        lines.append(f"{place}. {step.text}")
        lines += [f"   Where: {step.where}"] if step.where else []
        lines += [f"   {line}" for command in step.commands for line in command.splitlines()]
    lines += ["", "History"]
    lines += [
        f"{local(change.at)}  {change.change} by {change.by} {change.note}" for change in detail.changes
    ]
    lines += ["", "Proof"]
    lines += [_proof(row) for row in detail.bounces]
    return [line.rstrip() for line in lines]


def _dns_line(finding: DnsFinding) -> str:
    publish = f"; publish: {finding.publish}" if finding.publish else ""
    return f"DNS, {finding.question} {finding.name} ({finding.verdict}): {finding.why}{publish}"


def _change_line(change: RecordChange) -> str:
    span = f"between {local(change.since)} and {local(change.until)}"
    return f"DNS, {change.question} {change.name} changed {span}: {change.before} -> {change.after}"


def _life(incident: Incident) -> list[str]:
    """Return a line for each thing that admins and other incidents did to it."""
    lines = []
    if incident.state is IncidentState.QUIET:
        lines.append(
            f"No new bounces since {local(incident.finding.last_at)}; is it fixed? "
            f"Close it with: bounce-watch incidents resolve {incident.number}"
        )
    if incident.state is IncidentState.ARCHIVED:
        lines.append("Archived: it stayed quiet; a fix was not confirmed")
    if incident.acknowledged_by:
        lines.append(f"Acknowledged by {incident.acknowledged_by} {local(incident.acknowledged_at)}")
    if incident.is_silenced(datetime.now(UTC)):
        lines.append(f"Silent until {local(incident.silenced_until)}")
    if incident.suppressed_by is not None:
        lines.append(f"Suppressed by INC-{incident.suppressed_by}: no alerts are sent about it")
    if incident.reopened:
        lines.append(f"Reopened {incident.reopened} time{'' if incident.reopened == 1 else 's'}")
    if incident.historical:
        lines.append("Found in old messages: no alerts were sent")
    return lines


def _proof(row: BounceRow) -> str:
    bounce = row.bounce
    return f"{row.id:>6}  {local(bounce.occurred_at)}  {bounce.sender} -> {bounce.recipient}  {bounce.code}"
