"""Index the times of messages that were not sent, to count them in a time span."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("ix_withheld_at", "withheld", ["at"])
