"""The steps lead from every older shape to the same new one, and never without a copy."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from bounce_watch.store import MessageState, Store, StoreTooNew, StoreTooOld
from bounce_watch.store.database import migrate as migrate_module
from bounce_watch.store.database.sqlite import open_engine, prepare_file
from tests.store.committed import state_at
from tests.store.values import body, place

pytestmark = pytest.mark.slow

STEP = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("message", sa.Column("remark", sa.Text()))
    {then}
"""


def shape_of(path: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master")
        return sorted((kind, name, table, " ".join(sql.split())) for kind, name, table, sql in rows)


def steps_with(tmp_path: Path, then: str) -> Path:
    """Copy the shipped steps and add one more."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate_module.SCRIPTS, scripts)
    step = STEP.format(head=migrate_module.HEAD, then=then)
    (scripts / "versions" / "v9999_remark.py").write_text(step)
    return scripts


def test_the_newest_step_is_the_one_this_version_works_with() -> None:
    assert migrate_module.known_revisions()[0] == migrate_module.HEAD


def test_the_steps_make_what_the_tables_say(path: Path) -> None:
    """Columns, indexes and constraints of tables.py and of the steps are one."""
    Store.open(path).close()
    engine = open_engine(path, read_only=True)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("start", migrate_module.known_revisions())
def test_an_upgraded_store_equals_a_fresh_one(tmp_path: Path, start: str) -> None:
    fresh, upgraded = tmp_path / "fresh.db", tmp_path / "upgraded.db"
    Store.open(fresh).close()
    prepare_file(upgraded)
    engine = open_engine(upgraded, read_only=False)
    migrate_module.migrate(engine, upgraded, head=start)
    engine.dispose()
    Store.open(upgraded).close()
    assert shape_of(upgraded) == shape_of(fresh)
    assert len(shape_of(fresh)) > 30


def test_opening_twice_changes_nothing(path: Path) -> None:
    with Store.open(path) as store, store.transaction() as tx:
        tx.messages.add_message(**place(), **body())
    before = shape_of(path)
    with Store.open(path) as again:
        assert again.backup is None
        assert state_at(again, **place()) is MessageState.STORED
    assert shape_of(path) == before
    assert [file.name for file in path.parent.glob("*.bak")] == []


def test_a_store_is_copied_before_its_shape_changes(path: Path, tmp_path: Path) -> None:
    """The copy is a whole store of the old shape, WAL included, for the owner alone."""
    scripts = steps_with(tmp_path, "pass")
    with Store.open(path) as store, store.transaction() as tx:
        tx.messages.add_message(**place(), **body())
    engine = open_engine(path, read_only=False)
    backup = migrate_module.migrate(engine, path, scripts=scripts, head="9999")
    engine.dispose()
    assert backup is not None
    assert backup.stat().st_mode & 0o777 == 0o600
    assert any("remark" in sql for *_, sql in shape_of(path))
    assert not any("remark" in sql for *_, sql in shape_of(backup))
    with Store.open(backup, read_only=True) as copy:
        assert state_at(copy, **place()) is MessageState.STORED


def test_a_step_that_fails_leaves_the_old_shape(path: Path, tmp_path: Path) -> None:
    scripts = steps_with(tmp_path, 'raise RuntimeError("half way")')
    Store.open(path).close()
    before = shape_of(path)
    engine = open_engine(path, read_only=False)
    with pytest.raises(RuntimeError, match="half way"):
        migrate_module.migrate(engine, path, scripts=scripts, head="9999")
    engine.dispose()
    assert shape_of(path) == before
    Store.open(path).close()


def set_revision(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


@pytest.mark.parametrize("read_only", [True, False])
def test_a_store_of_a_newer_version_is_left_as_it_is(path: Path, read_only: bool) -> None:
    Store.open(path).close()
    set_revision(path, "7777")
    with pytest.raises(StoreTooNew, match="newer"):
        Store.open(path, read_only=read_only)


def test_a_reader_does_not_migrate(path: Path) -> None:
    """A command that only looks must not change the shape under a running service."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE something (else_ TEXT)")
    with pytest.raises(StoreTooOld) as caught:
        Store.open(path, read_only=True)
    assert "run --once" in caught.value.repair


def test_a_writer_may_be_told_not_to_migrate(path: Path) -> None:
    with pytest.raises(StoreTooOld):
        Store.open(path, migrate=False)


LEVELS = [
    # evidence, forwarded by, sender, Message-ID of the mail, tests, and the level afterwards
    ("internal", None, "anna@contoso.example", "<1@contoso.example>", "[]", "internal"),
    ("internal", "Anna@contoso.example", "anna@contoso.example", "<2@contoso.example>", "[]", "member"),
    ("internal", "anna@contoso.example", None, None, "[]", "member"),
    ("internal", "anna@contoso.example", "tom@contoso.example", "<3@contoso.example>", "[]", "unverified"),
    ("correlated", None, "anna@contoso.example", "<4@contoso.example>", "[]", "unverified"),
    ("correlated", None, "anna@contoso.example", "<1@contoso.example>", "[]", "correlated"),
    (
        *("correlated", None, "anna@contoso.example", "<5@contoso.example>"),
        *('[["our DKIM signature on the mail", "valid"]]', "correlated"),
    ),
    (
        "contradictory",
        "anna@contoso.example",
        "anna@contoso.example",
        "<6@contoso.example>",
        "[]",
        "contradictory",
    ),
]


def test_levels_that_an_outsider_could_reach_are_lowered(path: Path) -> None:
    """Reports as version 0010 stored them; the bounce follows its report."""
    prepare_file(path)
    engine = open_engine(path, read_only=False)
    migrate_module.migrate(engine, path, head="0010")
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO message (id, mailbox, validity, uid, seen_at, state, attempts)"
            " VALUES (1, 'm', 1, '1', 0, 'filed', 0)"
        )
        for number, (evidence, by, sender, message_id, tests, _after) in enumerate(LEVELS, 1):
            connection.execute(
                "INSERT INTO report (id, message_id, recorded_at, kind, format, envelopes, evidence, tests,"
                " forwarded_by, original_sender, original_message_id, original_automatic)"
                " VALUES (?, 1, 0, 'failure', 'rfc3464', '[]', ?, ?, ?, ?, ?, '[]')",
                (number, evidence, tests, by, sender, message_id),
            )
            connection.execute(
                "INSERT INTO bounce (report_id, message_id, recorded_at, occurred_at, recipient,"
                " recipient_key, action, cause, persistence, owner, evidence)"
                " VALUES (?, 1, 0, 0, 'r', 'r', 'failed', 'unknown', 'unknown', 'nobody', ?)",
                (number, evidence),
            )
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        for table in ("report", "bounce"):
            rows = connection.execute(f"SELECT evidence FROM {table} ORDER BY id")
            assert [row[0] for row in rows] == [row[-1] for row in LEVELS], table
