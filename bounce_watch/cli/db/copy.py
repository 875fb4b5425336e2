"""`db copy`: move to a server when one watcher is no longer enough, or back to a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bounce_watch.cli.common.filters import AsJson

if TYPE_CHECKING:
    from bounce_watch.config.models import Config
    from bounce_watch.store import Place


def register(group: typer.Typer) -> None:
    group.command("copy")(copy)


def copy(
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
    from bounce_watch.cli.common.output import Column, emit, form_of, say
    from bounce_watch.cli.common.progress import measuring
    from bounce_watch.config.load import load_config
    from bounce_watch.store import place_of
    from bounce_watch.store.copy import copy_store, nobody_else
    from bounce_watch.store.database.location import require_store

    config = load_config(context.obj)
    source, target = place_of(config.store), _place(to, config)
    require_store(source)
    with nobody_else(source, target) as still, measuring("Copying and comparing") as progress:
        rows = copy_store(source, target, progress=progress, before_commit=still)
    columns = [Column(key="rows", title="Rows", right=True), Column(key="table", title="Table")]
    emit([{"table": name, "rows": count} for name, count in sorted(rows.items())], columns, form_of(as_json))
    say(f"{target} holds all that {source} holds; each row was read back and compared.")
    say(_then(to, isinstance(target, Path)))


def _place(to: str, config: "Config") -> "Place":
    """Return where `--to` is. Raises BadParameter for what is no place, or the store itself."""
    from pydantic import SecretStr

    from bounce_watch.store import place_of

    is_url = to.startswith(("postgresql://", "postgres://"))
    if not to or ("://" in to and not is_url):
        raise typer.BadParameter("write postgresql://user@host/database, or a file", param_hint="--to")
    there = {"url": SecretStr(to)} if is_url else {"url": None, "path": Path(to).expanduser().absolute()}
    place = place_of(config.store.model_copy(update=there))
    if place == place_of(config.store):
        raise typer.BadParameter("that is the store itself", param_hint="--to")
    return place


def _then(to: str, is_file: bool) -> str:
    there = f'path = "{to}" and no url' if is_file else "url"
    return (
        f"Now set {there} under [store], run `bounce-watch check`, and start the service; "
        "keep the old store until you trust the new one, and start nothing with it."
    )
