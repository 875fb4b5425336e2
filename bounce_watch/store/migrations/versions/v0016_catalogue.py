"""Store which catalogue judged a bounce, and the first verdict beside a later one."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("bounce", sa.Column("catalogue", sa.Text(), nullable=True))
    op.add_column("bounce", sa.Column("first_verdict", sa.Text(), nullable=True))
