"""Store what DNS said, and for which domain or address it proved the cause of a bounce."""

import sqlalchemy as sa
from alembic import op

from bounce_watch.store.migrations.columns import columns

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("bounce", sa.Column("proven", sa.Text(), nullable=True))
    op.create_table(
        "dns_finding",
        *columns(
            "id:key! question:text subject:text name:text verdict:text record:text? why:text publish:text?"
        ),
        sa.Column("proves", sa.Boolean(), nullable=False, server_default=sa.false()),
        *columns("ttl:key? first_at:instant asked_at:instant"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dns_finding_subject", "dns_finding", ["subject", "question", "name", "id"])
