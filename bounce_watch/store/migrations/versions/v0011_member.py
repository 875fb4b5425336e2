"""Add the trust level `member`, and lower stored levels that rest on what an outsider could have written.

`internal` reports that a person forwarded become `member` when they are about this person, else `unverified`.
`correlated` ones stay so with our valid DKIM signature, or the Message-ID of an internal report.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_FORWARDED = "evidence = 'internal' AND forwarded_by IS NOT NULL"
_OWN = "(original_sender IS NULL OR LOWER(original_sender) = LOWER(forwarded_by))"
_SIGNED = """tests LIKE '%["our DKIM signature on the mail", "valid"]%'"""
_KNOWN = """EXISTS (SELECT 1 FROM report AS other WHERE other.evidence = 'internal'
    AND other.original_message_id = report.original_message_id)"""


def upgrade() -> None:
    op.add_column("incident", sa.Column("confirmed", sa.Boolean(), nullable=False, server_default=sa.true()))
    _move("member", f"{_FORWARDED} AND {_OWN}")
    _move("unverified", _FORWARDED)
    _move("unverified", f"evidence = 'correlated' AND NOT {_SIGNED} AND NOT {_KNOWN}")


def _move(level: str, which: str) -> None:
    """Set the level of reports and their bounces."""
    reports = f"SELECT id FROM report WHERE {which}"  # noqa: S608 - constants of this module
    op.execute(f"UPDATE bounce SET evidence = '{level}' WHERE report_id IN ({reports})")  # noqa: S608
    op.execute(f"UPDATE report SET evidence = '{level}' WHERE {which}")  # noqa: S608
