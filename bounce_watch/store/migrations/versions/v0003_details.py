"""Add the details of a rejection to bounces: addresses, blocklists, sizes, rules."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("bounce", sa.Column("details", sa.Text(), nullable=True))
