"""Replace the counters by daily counts of deleted bounces; the database counts the stored bounces itself.

Only the counts of deleted bounces are converted: those of causes, owners, codes and actions by day. Those
of domains covered 32 days and are assigned to the first day.
"""

import sqlalchemy as sa
from alembic import op

from bounce_watch.store.migrations.columns import columns

revision = "0010"
down_revision = "0009"

_DAY = 86_400_000_000
_COLUMNS = {
    "action": "action",
    "cause": "cause",
    "owner": "owner",
    "code": "status",
    "domain": "recipient_domain",
}


def upgrade() -> None:
    op.create_table(
        "daily_count",
        *columns("dimension:text! day:key! label:text! evidence:text! messages:int bounces:int"),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    outlived = "SELECT value FROM meta WHERE name = 'counters_outlived'"
    if connection.execute(sa.text(outlived)).scalar() is not None:
        for dimension, column in _COLUMNS.items():
            connection.execute(sa.text(_outlived(dimension, column)))
    connection.execute(sa.text("DELETE FROM meta WHERE name = 'counters_outlived'"))
    op.drop_table("scattered")
    op.drop_table("tally")


def _outlived(dimension: str, column: str) -> str:
    """Return SQL that converts the counts that exceed those of the stored bounces."""
    grain, days = ("block", 32) if dimension == "domain" else ("day", 1)
    failed = "" if dimension == "action" else "AND action = 'failed'"
    length = days * _DAY
    period = f"((occurred_at - ((occurred_at % {length}) + {length}) % {length}) / {length})"
    return f"""
INSERT INTO daily_count (dimension, day, label, evidence, messages, bounces)
SELECT dimension, tally.period * {days}, tally.label, tally.evidence,
    tally.messages - COALESCE(rows_left.messages, 0), tally.bounces - COALESCE(rows_left.bounces, 0)
FROM tally LEFT JOIN (
    SELECT {period} AS period, {column} AS label, COALESCE(evidence, '') AS evidence,
        COUNT(DISTINCT message_id) AS messages, COUNT(*) AS bounces
    FROM bounce WHERE {column} IS NOT NULL {failed}
        AND message_id NOT IN (SELECT message_id FROM scattered)
    GROUP BY 1, 2, 3
) AS rows_left ON rows_left.period = tally.period AND rows_left.label = tally.label
    AND rows_left.evidence = tally.evidence
WHERE dimension = '{dimension}' AND grain = '{grain}'
    AND tally.messages > COALESCE(rows_left.messages, 0)
    AND tally.bounces >= COALESCE(rows_left.bounces, 0)
"""  # noqa: S608 - names and numbers of our own
