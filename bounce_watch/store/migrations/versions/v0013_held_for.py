"""Tell what a held message waits for: an admin's release, or the breaker."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("outgoing", sa.Column("held_for", sa.Text(), nullable=True))
