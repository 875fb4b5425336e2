"""Add to incidents: acknowledgement, silence, suppression, reopening and the alerts written."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.BigInteger()


def upgrade() -> None:
    for column in (
        sa.Column("acknowledged_at", _INSTANT, nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("silenced_until", _INSTANT, nullable=True),
        sa.Column("suppressed_by", _KEY, nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("told_at", _INSTANT, nullable=True),
        sa.Column("told_step", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("told_messages", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("incident", column)
    # The older version has sent the alerts about the incidents that it stored.
    op.execute("UPDATE incident SET told_step = 8, told_at = opened_at, told_messages = messages")
