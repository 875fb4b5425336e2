"""Note which message opened an incident, so that all incidents of one message are one alert."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("incident", sa.Column("opened_in", sa.BigInteger(), nullable=True))
