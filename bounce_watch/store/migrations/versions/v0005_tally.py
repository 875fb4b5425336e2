"""Add counters of messages by day for fast queries over all time (removed in 0010)."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text()
_HOUR, _DAY, _BLOCK = 3_600_000_000, 86_400_000_000, 32 * 86_400_000_000
_VALUES = {
    "cause": "cause",
    "owner": "owner",
    "code": "status",
    "sender": "sender_key",
    "domain": "recipient_domain",
}


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("dimension", _TEXT, primary_key=True),
        sa.Column("grain", _TEXT, primary_key=True),
        sa.Column("period", _KEY, primary_key=True),
        sa.Column("label", _TEXT, primary_key=True),
        sa.Column("evidence", _TEXT, primary_key=True),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("bounces", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "scattered",
        sa.Column("message_id", _KEY, sa.ForeignKey("message.id"), primary_key=True),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
    )
    fill(op.get_bind())


def fill(connection: sa.Connection) -> None:
    """Count the bounces that are stored already."""
    connection.execute(sa.text(_SCATTERED))
    connection.execute(sa.text(_HOURS))
    for dimension, column in {"action": "action", **_VALUES}.items():
        for grain, length in (("day", _DAY), ("block", _BLOCK)):
            if grain == "block" or dimension not in ("sender", "domain"):
                connection.execute(sa.text(_days(dimension, column, grain, length)))


def _floor(length: int, time: str = "occurred_at") -> str:
    """Return SQL for the number of the period, rounded down before 1970 too, where `/` rounds up."""
    return f"(({time} - (({time} % {length}) + {length}) % {length}) / {length})"


_SCATTERED = f"""
INSERT INTO scattered (message_id, first_at, last_at)
SELECT message_id, MIN(occurred_at), MAX(occurred_at) FROM bounce GROUP BY message_id
HAVING MIN({_floor(_DAY)}) <> MAX({_floor(_DAY)}) OR COUNT(DISTINCT COALESCE(evidence, '')) > 1
"""  # noqa: S608 - numbers of our own

_HOURS = f"""
INSERT INTO tally (dimension, grain, period, label, evidence, messages, bounces)
SELECT 'cause', 'hour', {_floor(_HOUR, "first_at")}, cause, evidence, COUNT(*), COUNT(*) FROM (
    SELECT message_id, cause, COALESCE(evidence, '') AS evidence, occurred_at AS first_at,
        ROW_NUMBER() OVER (PARTITION BY message_id, cause ORDER BY occurred_at, id) AS place
    FROM bounce WHERE action = 'failed'
) AS firsts WHERE place = 1 GROUP BY 3, 4, 5
"""  # noqa: S608 - numbers of our own


def _days(dimension: str, column: str, grain: str, length: int) -> str:
    failed = "" if dimension == "action" else "AND action = 'failed'"
    return f"""
INSERT INTO tally (dimension, grain, period, label, evidence, messages, bounces)
SELECT '{dimension}', '{grain}', {_floor(length)}, {column}, COALESCE(evidence, ''),
    COUNT(DISTINCT message_id), COUNT(*)
FROM bounce WHERE {column} IS NOT NULL {failed}
    AND message_id NOT IN (SELECT message_id FROM scattered)
GROUP BY 3, 4, 5
"""  # noqa: S608 - names and numbers of our own
