"""Create the audit log."""

from alembic import op

from bounce_watch.store.migrations.columns import columns

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "audit",
        *columns("id:key! at:instant by:text deed:text figures:text"),
        sqlite_autoincrement=True,
    )
