"""Index the subjects of bounced messages."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("ix_report_subject", "report", ["original_subject"])
