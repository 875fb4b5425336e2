"""Schema migrations: Alembic revisions in `store/migrations`, run when a store is opened.

They run in one transaction. A file that is not empty is backed up first.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from bounce_watch.store.database.errors import StoreMissing, StoreTooNew, StoreTooOld
from bounce_watch.store.database.location import StoreLocation, require_fit
from bounce_watch.store.database.sqlite import for_writing
from bounce_watch.store.database.sqlite_file import back_up_to

HEAD = "0019"
"""The revision that this version works with; a test compares it with the newest file."""

SCRIPTS = Path(__file__).parent.parent / "migrations"


def find_revision(engine: Engine) -> str | None:
    """Return the revision of the store, None for an empty file."""
    with engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def require_head(engine: Engine, location: StoreLocation) -> None:
    """Raise StoreMissing, StoreTooOld or StoreTooNew unless the store has the revision HEAD."""
    revision = find_revision(engine)
    if revision == HEAD:
        return
    if revision is None and not isinstance(location, Path):
        raise StoreMissing(
            f"There is no store at {location} yet.",
            "Run `bounce-watch run --once` or `bounce-watch db upgrade` first, or check store.url.",
        )
    if revision is not None and revision not in known_revisions():
        raise StoreTooNew(
            f"The store {location} was written by a newer bounce_watch (schema {revision}).",
            "Install that version again; this one leaves the file as it is.",
        )
    raise StoreTooOld(
        f"The store {location} has an older shape (schema {revision or 'none'}).",
        "Start the service or `bounce-watch run --once` once; it brings the store up to date.",
    )


def migrate(
    engine: Engine, location: StoreLocation, *, scripts: Path = SCRIPTS, head: str = HEAD
) -> Path | None:
    """Bring the store to `head` and return the backup's path, None when none was needed.

    A database on a server is not copied: the server rolls a failed migration back.
    """
    revision = find_revision(engine)
    if revision == head:
        return None
    if revision is not None and revision not in known_revisions(scripts):
        require_head(engine, location)
    if revision is None:
        require_fit(location)
    backup = back_up(location, revision) if revision and isinstance(location, Path) else None
    _upgrade(engine, scripts, head)
    return backup


def known_revisions(scripts: Path = SCRIPTS) -> tuple[str, ...]:
    from alembic.script import ScriptDirectory

    return tuple(step.revision for step in ScriptDirectory(str(scripts)).walk_revisions())


def back_up(path: Path, revision: str) -> Path:
    """Copy the whole store, WAL included, to `<name>.schema-<revision>.bak` with mode 0600, or not at all."""
    return back_up_to(path, path.with_name(f"{path.name}.schema-{revision}.bak"), replace=True).path


def _upgrade(engine: Engine, scripts: Path, head: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with for_writing(engine).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, head)
