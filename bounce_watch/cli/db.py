"""`db`: upgrade the store, back it up, copy it, check it, free unused space."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Column, emit, form_of, print_checks, say
from bounce_watch.cli.common.progress import measuring, waiting
from bounce_watch.cli.purge import purge
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.model.check import Check
from bounce_watch.store import (
    StoreError,
    StoreLocation,
    StorePermanent,
    open_store,
    store_location,
    work_with,
)
from bounce_watch.store.check import check_backups, check_file, check_server
from bounce_watch.store.copy import copy_store, nobody_else
from bounce_watch.store.database.location import require_store
from bounce_watch.store.database.migrate import HEAD
from bounce_watch.store.database.sqlite_file import back_up_to
from bounce_watch.store.database.sqlite_file import vacuum as rewrite

db = typer.Typer(help="Upgrade, back up, copy, check or purge the store.", no_args_is_help=True)
db.command()(purge)


@db.command()
def upgrade(context: typer.Context) -> None:
    """Bring the store to the shape that this version works with; the service does it at its start too."""
    place = store_location(load_config(context.obj).store)
    require_store(place)
    with work_with(place), waiting("Upgrading"), open_store(place) as store:
        copy, was = store.backup, store.was
    if was == HEAD:
        say(f"Nothing to do: {place} has the newest shape ({HEAD}).")
    elif copy is None:
        say(f"{place} now has shape {HEAD}.")
    else:
        say(f"{place} now has shape {HEAD}. The store as it was before: {copy}")


@db.command()
def backup(
    context: typer.Context,
    target: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Where to (default: beside the store, with the time)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Copy the store into one file while the service runs, and check the copy."""
    path = _file_of(
        load_config(context.obj), "back it up with pg_dump: pg_dump --format=custom --file=FILE DATABASE"
    )
    with measuring("Copying and checking") as progress:
        done = back_up_to(
            path,
            target or path.with_name(f"{path.name}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}.bak"),
            replace=force,
            progress=progress,
        )
    say(f"{done.path}: {_megabytes(done.size)}, schema {done.revision}, sound, closed to others.")
    say("It holds addresses as the store does: keep it as safe, and delete it when it is no longer needed.")


def _file_of(config: Config, instead: str) -> Path:
    """Return the store's file. Raises StorePermanent for a server, whose own tools do this."""
    place = store_location(config.store)
    if isinstance(place, Path):
        return place
    raise StorePermanent(f"{place} is no file: the server's own tools take care of it.", instead)


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MB"


@db.command()
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Check files, pages and references, and say what repairs them; status 1 for a failure."""
    with waiting("Checking"):
        checks = list(_check(load_config(context.obj)))
    print_checks(checks, as_json=as_json)
    if any(one.state == "failure" for one in checks):
        raise typer.Exit(Exit.FAILED)


def _check(config: Config) -> Iterator[Check]:
    place = store_location(config.store)
    if isinstance(place, Path):
        yield from check_file(place)
        yield check_backups(place, config.retention.days, datetime.now(UTC))
    else:
        yield from check_server(place)
    try:
        open_store(place, read_only=True).close()
    except StoreError as error:
        yield Check("schema", "failure", str(error), error.repair)


@db.command()
def vacuum(context: typer.Context) -> None:
    """Write the file anew without its unused pages. The service must not run meanwhile."""
    path = _file_of(
        load_config(context.obj), "autovacuum does it; to give room back at once: vacuumdb --full DATABASE"
    )
    with work_with(path), waiting("Writing the file anew"):
        before, after = rewrite(path)
    say(f"{path}: {_megabytes(before)} before, {_megabytes(after)} now.")


@db.command("log")
def show_log(context: typer.Context, as_json: AsJson = False) -> None:
    """List what was done to the store as a whole: purges, forgotten and exported people (unnamed)."""
    with read_store(context.obj) as store:
        rows = [asdict(deed) for deed in store.maintenance.audit_log()]
    columns = [
        Column("at", "When"),
        Column("by", "Who"),
        Column("deed", "What"),
        Column("figures", "How much", show=lambda row: _figures_text(row["figures"]), flexible=True),
    ]
    emit(rows, columns, form_of(as_json), empty="Nothing was done yet.")


def _figures_text(figures: Mapping[str, int | str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in figures.items())


@db.command("copy")
def copy_to(
    context: typer.Context,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="URL|FILE",
            help="postgresql://user@host/database, or a new SQLite file. "
            "Leave the password out: it is read as [store] says.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Copy the whole store to an empty place, a server or a file. The service must not run meanwhile."""
    config = load_config(context.obj)
    source, target = store_location(config.store), _place(to, config)
    require_store(source)
    with nobody_else(source, target) as still, measuring("Copying and comparing") as progress:
        rows = copy_store(source, target, progress=progress, before_commit=still)
    columns = [Column("rows", "Rows", right=True), Column("table", "Table")]
    emit([{"table": name, "rows": count} for name, count in sorted(rows.items())], columns, form_of(as_json))
    say(f"{target} holds all that {source} holds; each row was read back and compared.")
    there = f'path = "{to}" and no url' if isinstance(target, Path) else "url"
    say(
        f"Now set {there} under [store], run `bounce-watch check`, and start the service; "
        "keep the old store until you trust the new one, and start nothing with it."
    )


def _place(to: str, config: Config) -> StoreLocation:
    """Return the target of `--to`. Raises BadParameter for anything else, or the store itself."""
    is_url = to.startswith(("postgresql://", "postgres://"))
    if not to or ("://" in to and not is_url):
        raise typer.BadParameter("write postgresql://user@host/database, or a file", param_hint="--to")
    there = {"url": SecretStr(to)} if is_url else {"url": None, "path": Path(to).expanduser().absolute()}
    place = store_location(config.store.model_copy(update=there))
    if place == store_location(config.store):
        raise typer.BadParameter("that is the store itself", param_hint="--to")
    return place
