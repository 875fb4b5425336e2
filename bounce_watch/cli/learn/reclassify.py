"""`reclassify`: judge stored bounces again with the catalogue in force, or give the first verdicts back."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.filters import AsCsv, AsJson, Since
from bounce_watch.cli.common.open_store import change_store, read_store
from bounce_watch.cli.common.output import Column, Form, emit, form_of, say
from bounce_watch.cli.common.progress import adding_up
from bounce_watch.cli.common.when import account, read_moment
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.model.check import Check
from bounce_watch.notifications.rendering.labels import CAUSES, OWNERS
from bounce_watch.pipeline.context import read_catalogue
from bounce_watch.pipeline.reclassify import MAX_COUNTED, Changes, count_otherwise, restore
from bounce_watch.pipeline.reclassify import reclassify as judge_all
from bounce_watch.store import Store, StoreMissing, open_store, store_location


def reclassify(
    context: typer.Context,
    since: Since = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.")
    ] = False,
    back: Annotated[bool, typer.Option("--back", help="Give the first verdicts back.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Judge stored bounces again with the new catalogue.

    It runs beside the service, sends nothing and opens no incident. Killed, it continues at the next call.
    """
    if back and dry_run:
        raise typer.BadParameter("give either --dry-run or --back")
    moment, form = read_moment(since), form_of(as_json, as_csv)
    with read_store(context.obj) if dry_run else change_store(context.obj) as store:
        if back:
            _go_back(store, moment)
            return
        catalogue = read_catalogue(load_config(context.obj))
        with adding_up("Judging", store.summary.stats().bounces) as step:
            changes = judge_all(store, catalogue, since=moment, dry_run=dry_run, progress=step)
        print_changes(changes, form)
        if dry_run:
            say(f"{changes.judged} bounces judged with catalogue {catalogue.version}; nothing was changed.")
            return
        with store.transaction() as tx:
            tx.verdicts.note_otherwise(catalogue.version, 0)
        _note(store, "reclassify", changes.judged, changes.counts.total())
        say(f"{changes.judged} bounces judged with catalogue {catalogue.version}. --back undoes it.")


def check_verdicts(config: Config) -> Iterator[Check]:
    """Yield a warning if the catalogue in force would judge stored bounces differently."""
    try:
        with open_store(store_location(config.store), read_only=True) as store:
            changes = count_otherwise(store, read_catalogue(config))
    except StoreMissing:
        return
    if changes.counts:
        among = "" if changes.judged < MAX_COUNTED else f" of the newest {MAX_COUNTED}"
        count = changes.counts.total()
        text = f"stored bounces that the catalogue in force judges differently: {count}{among}"
        yield Check("verdicts", "warning", text, "bounce-watch reclassify --dry-run")


def print_changes(changes: Changes, form: Form) -> None:
    """Print old and new verdicts, most bounces first, with the ids of a few."""
    columns = [
        Column("bounces", "Bounces", right=True),
        Column("cause", "Judged before\nwho must act", show=lambda row: _verdict(row, "")),
        Column("new_cause", "Now\nwho must act", show=lambda row: _verdict(row, "new_")),
        Column("examples", "Such as", show=lambda row: ", ".join(map(str, row["examples"])), flexible=True),
    ]
    emit(_rows(changes), columns, form, empty="No cause and no owner changes.")


def _rows(changes: Changes) -> Iterator[dict[str, Any]]:
    for change, count in changes.counts.most_common():
        yield {"bounces": count, **change._asdict(), "examples": changes.examples[change]}


def _verdict(row: Any, which: str) -> tuple[str, str]:
    return CAUSES[row[f"{which}cause"]], OWNERS[row[f"{which}owner"]]


def _go_back(store: Store, since: datetime | None) -> None:
    count = restore(store, since=since)
    _note(store, "reclassify --back", count, count)
    say(f"{count} bounces have their first verdict again.")


def _note(store: Store, deed: str, judged: int, changed: int) -> None:
    if judged:
        with store.transaction() as tx:
            figures: dict[str, int | str] = {"bounces": judged, "changed": changed}
            tx.maintenance.add_audit_entry(deed, account(), figures, datetime.now(UTC))
