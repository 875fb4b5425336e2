"""Count what was withheld in a span of time."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("ix_withheld_at", "withheld", ["at"])
