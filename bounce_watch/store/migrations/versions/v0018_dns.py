"""Store what DNS said, and for which domain or address it proved the cause of a bounce."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("bounce", sa.Column("proven", sa.Text(), nullable=True))
    op.create_table(
        "dns_finding",
        sa.Column("id", _BIG, primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("question", "subject", "name", "verdict")),
        sa.Column("record", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("publish", sa.Text(), nullable=True),
        sa.Column("proves", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("ttl", _BIG, nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("first_at", "asked_at")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dns_finding_subject", "dns_finding", ["subject", "question", "name", "id"])
