"""Add all-time counters for senders and domains, whose 32-day counters are too many to sum per query.

The other dimensions have few daily counters, so their 32-day counters are deleted.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_SUMS = """
INSERT INTO tally (dimension, grain, period, label, evidence, messages, bounces)
SELECT dimension, 'ever', 0, label, evidence, SUM(messages), SUM(bounces) FROM tally
WHERE dimension IN ('sender', 'domain') AND grain = 'block' GROUP BY dimension, label, evidence
"""
_NEEDLESS = "DELETE FROM tally WHERE grain = 'block' AND dimension NOT IN ('sender', 'domain')"


def upgrade() -> None:
    fill(op.get_bind())


def fill(connection: sa.Connection) -> None:
    """Sum the 32-day counters, which also count deleted bounces."""
    connection.execute(sa.text(_SUMS))
    connection.execute(sa.text(_NEEDLESS))
