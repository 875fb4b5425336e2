"""Counters of all time for senders and domains, whose blocks are too many to add up for each question.

The days of the others are few: they need no blocks, which every mail had to pay for.
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
    """Add up the blocks: they also tell of bounces that were deleted and whose counters were kept."""
    connection.execute(sa.text(_SUMS))
    connection.execute(sa.text(_NEEDLESS))
