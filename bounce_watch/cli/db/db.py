"""`db`: bring the store up to date, copy it, check it, give unused room back."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.db import copy, purge

if TYPE_CHECKING:
    from bounce_watch.config.models import Config
    from bounce_watch.model.check import Check

group = typer.Typer(help="Care for the store: upgrade, back up, copy, check, vacuum.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    copy.register(group)
    app.add_typer(group, name="db")
    purge.register(app)


@group.command()
def upgrade(context: typer.Context) -> None:
    """Bring the store to the shape that this version works with; the service does it at its start too."""
    from bounce_watch.cli.common.output import say
    from bounce_watch.cli.common.progress import waiting
    from bounce_watch.config.load import load_config
    from bounce_watch.store import open_store, place_of, work_with
    from bounce_watch.store.database.location import require_store
    from bounce_watch.store.database.migrate import HEAD

    place = place_of(load_config(context.obj).store)
    require_store(place)
    with work_with(place), waiting("Upgrading"), open_store(place) as store:
        copy, was = store.backup, store.was
    if was == HEAD:
        say(f"Nothing to do: {place} has the newest shape ({HEAD}).")
    elif copy is None:
        say(f"{place} now has shape {HEAD}.")
    else:
        say(f"{place} now has shape {HEAD}. The store as it was before: {copy}")


@group.command()
def backup(
    context: typer.Context,
    target: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Where to (default: beside the store, with the time)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Copy the store into one file while the service runs, and check the copy."""
    from bounce_watch.cli.common.output import say
    from bounce_watch.cli.common.progress import measuring
    from bounce_watch.config.load import load_config
    from bounce_watch.store.database.sqlite_file import back_up_to

    path = _file_of(
        load_config(context.obj), "back it up with pg_dump: pg_dump --format=custom --file=FILE DATABASE"
    )
    with measuring("Copying and checking") as progress:
        done = back_up_to(path, target or _dated(path), replace=force, progress=progress)
    say(f"{done.path}: {_megabytes(done.size)}, schema {done.revision}, sound, closed to others.")
    say("It holds addresses as the store does: keep it as safe, and delete it when it is no longer needed.")


def _file_of(config: "Config", instead: str) -> Path:
    """Return the store's file. Raises StorePermanent for a server, whose own tools do this."""
    from bounce_watch.store import StorePermanent, place_of

    place = place_of(config.store)
    if isinstance(place, Path):
        return place
    raise StorePermanent(f"{place} is no file: the server's own tools take care of it.", instead)


def _dated(path: Path) -> Path:
    from datetime import UTC, datetime

    return path.with_name(f"{path.name}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}.bak")


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MB"


@group.command()
def check(
    context: typer.Context,
    as_json: AsJson = False,
) -> None:
    """Check files, pages and references, and say what repairs them; status 1 for a failure."""
    from bounce_watch.cli.common.progress import waiting
    from bounce_watch.cli.setup.setup import print_checks
    from bounce_watch.config.load import load_config

    with waiting("Checking"):
        findings = list(_findings(load_config(context.obj)))
    print_checks((finding._asdict() for finding in findings), as_json=as_json)
    if any(finding.state == "failure" for finding in findings):
        raise typer.Exit(Exit.FAILED)


def _findings(config: "Config") -> "Iterator[Check]":
    from datetime import UTC, datetime

    from bounce_watch.model.check import Check
    from bounce_watch.store import StoreError, open_store, place_of
    from bounce_watch.store.check import check_backups, check_file, check_server

    place = place_of(config.store)
    if isinstance(place, Path):
        yield from check_file(place)
        yield check_backups(place, config.retention.days, datetime.now(UTC))
    else:
        yield from check_server(place)
    try:
        open_store(place, read_only=True).close()
    except StoreError as error:
        yield Check("schema", "failure", str(error), error.repair)


@group.command()
def vacuum(context: typer.Context) -> None:
    """Write the file anew without its unused pages. The service must not run meanwhile."""
    from bounce_watch.cli.common.output import say
    from bounce_watch.cli.common.progress import waiting
    from bounce_watch.config.load import load_config
    from bounce_watch.store import work_with
    from bounce_watch.store.database.sqlite_file import vacuum as rewrite

    path = _file_of(
        load_config(context.obj), "autovacuum does it; to give room back at once: vacuumdb --full DATABASE"
    )
    with work_with(path), waiting("Writing the file anew"):
        before, after = rewrite(path)
    say(f"{path}: {_megabytes(before)} before, {_megabytes(after)} now.")


@group.command("log")
def log_of_deeds(context: typer.Context, as_json: AsJson = False) -> None:
    """List what was done to the store as a whole: purges, forgotten and exported people (unnamed)."""
    from dataclasses import asdict

    from bounce_watch.cli.common.open_store import asking
    from bounce_watch.cli.common.output import Column, emit, form_of, local

    with asking(context.obj) as store:
        rows = [asdict(deed) for deed in store.maintenance.audit_log()]
    columns = [
        Column(key="at", title="When", show=lambda row: local(row["at"])),
        Column(key="by", title="Who"),
        Column(key="deed", title="What"),
        Column(
            key="figures", title="How much", show=lambda row: figures_text(row["figures"]), gives_way=True
        ),
    ]
    emit(rows, columns, form_of(as_json), empty="Nothing was done yet.")


def figures_text(figures: Mapping[str, int | str]) -> str:
    """Return figures as a person reads them."""
    return ", ".join(f"{count} {what}" for what, count in figures.items())
