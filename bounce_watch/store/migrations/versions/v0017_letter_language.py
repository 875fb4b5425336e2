"""Note the language of a message, so that letters that do not help can be counted by it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("outgoing", sa.Column("language", sa.Text(), nullable=True))
