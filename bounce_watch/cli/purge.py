"""`purge`: delete what is older than the site keeps, or than a moment."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import change_store, read_store
from bounce_watch.cli.common.output import Column, Form, confirm, emit, emit_json, local, say
from bounce_watch.cli.common.progress import adding_up
from bounce_watch.cli.common.when import account, read_moment
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.config.organisation import MIN_RETENTION_DAYS
from bounce_watch.pipeline.maintenance import limits_of
from bounce_watch.pipeline.maintenance import purge as delete
from bounce_watch.store import Store
from bounce_watch.store.maintenance.maintenance import OldRows
from bounce_watch.store.maintenance.retention import RetentionLimits

_NAMES = {
    "messages": "mails read",
    "mails": "mails that we wrote",
    "withheld": "notes of mails not written",
    "incidents": "closed incidents",
    "quarantined": "unreadable mails",
    "dns": "answers of DNS",
}


def purge(
    context: typer.Context,
    before: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="As 400d or 2026-01-31 (default: what [retention] says)."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; delete nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting by --before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete what is old, beside a running service. What is still needed stays, and is named."""
    config, now = load_config(context.obj), datetime.now(UTC)
    moment = read_moment(before, now)
    if moment is not None and now - moment < timedelta(days=MIN_RETENTION_DAYS):
        text = f"rules, answers and digests still need the last {MIN_RETENTION_DAYS} days"
        raise typer.BadParameter(text, param_hint="--before")
    with read_store(context.obj) if dry_run else change_store(context.obj) as store:
        limits = limits_of(config, store, now, moment)
        if limits.before is None and limits.quarantined_before is None:
            say("Nothing is deleted: [retention] keeps everything (days = 0). Name a moment with --before.")
            return
        found = store.maintenance.old_rows(limits)
        _print(found, limits, as_json=as_json)
        if dry_run or not any(found.goes.values()):
            return
        if moment is not None and not yes:
            confirm("Delete them? There is no way back but a backup.", "--before")
        _delete(config, store, limits, sum(found.goes.values()), now)


def _print(found: OldRows, limits: RetentionLimits, *, as_json: bool) -> None:
    if as_json:
        emit_json({"before": limits.before, "goes": found.goes, "stays": found.stays})
        return
    say(f"Older than {local(limits.before or limits.quarantined_before)}:")
    rows: list[dict[str, Any]] = [
        {"what": _NAMES[what], "count": count, "fate": "deleted"} for what, count in found.goes.items()
    ]
    rows += [
        {"what": _NAMES["messages"], "count": count, "fate": f"stay: {why}"}
        for why, count in found.stays.items()
    ]
    columns = [
        Column("count", "Rows", right=True),
        Column("what", "What"),
        Column("fate", "What becomes of them", flexible=True),
    ]
    emit([row for row in rows if row["count"]], columns, Form.TABLE, empty="nothing to delete.")


def _delete(config: Config, store: Store, limits: RetentionLimits, total: int, now: datetime) -> None:
    with adding_up("Deleting", total) as step:
        gone = delete(store, limits, keep=config.retention.counters == "keep", progress=step)
    with store.transaction() as tx:
        tx.maintenance.add_audit_entry("purge", account(), dict(gone), now)
    deleted = ", ".join(f"{count} {_NAMES.get(what, what)}" for what, count in gone.items() if count)
    say(f"Deleted: {deleted}.")
    say("Backups made before still hold it: `bounce-watch db check` names those beside the store.")
