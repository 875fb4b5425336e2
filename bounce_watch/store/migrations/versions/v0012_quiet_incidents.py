"""Let incidents be quiet or archived; those that older versions closed stay resolved, as they answered."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_OPEN = "state NOT IN ('resolved', 'archived')"


def upgrade() -> None:
    op.add_column("incident", sa.Column("quiet_since", sa.BigInteger(), nullable=True))
    op.drop_index("uq_incident_unresolved", "incident")
    op.create_index(
        "uq_incident_unresolved",
        "incident",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
