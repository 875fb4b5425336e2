"""Store how firmly a cause is known; None for bounces that an older version judged."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("bounce", sa.Column("certainty", sa.Text(), nullable=True))
