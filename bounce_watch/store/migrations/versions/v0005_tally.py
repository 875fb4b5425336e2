"""Add counters of messages by day for fast queries over all time (removed in 0010).

They stay empty: 0010 keeps only what the counters knew of bounces that were deleted meanwhile.
"""

from alembic import op

from bounce_watch.store.migrations.columns import columns

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "tally",
        *columns(
            "dimension:text! grain:text! period:key! label:text! evidence:text! messages:int bounces:int"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table("scattered", *columns("message_id:key!>message.id first_at:instant last_at:instant"))
