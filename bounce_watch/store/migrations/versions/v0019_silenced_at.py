"""Note when a silence was begun, so that one begun by a wrong clock does not hold for a year."""

from alembic import op

from bounce_watch.store.migrations.columns import columns

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("incident", *columns("silenced_at:instant?"))
