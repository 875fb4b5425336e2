"""Create the tables of messages, reports, bounces, quarantine and single values."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NUMBER = sa.BigInteger()
_INSTANT = sa.BigInteger()
_TEXT = sa.Text()


def upgrade() -> None:
    _message()
    _report()
    _bounce()
    _quarantined()
    _meta()


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("mailbox", _TEXT, nullable=False),
        sa.Column("validity", _NUMBER, nullable=False),
        sa.Column("uid", _TEXT, nullable=False),
        sa.Column("sha256", _TEXT, nullable=True),
        sa.Column("size", _NUMBER, nullable=True),
        sa.Column("received_at", _INSTANT, nullable=True),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.Column("kind", _TEXT, nullable=True),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("reason", _TEXT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.UniqueConstraint("mailbox", "validity", "uid", name="uq_message_place"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_kind", "message", ["kind", "id"])
    op.create_index("ix_message_sha256", "message", ["sha256"])
    op.create_index("ix_message_state", "message", ["state", "id"])


def _report() -> None:
    op.create_table(
        "report",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("message_id", _KEY, sa.ForeignKey("message.id"), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("format", _TEXT, nullable=False),
        sa.Column("envelopes", _TEXT, nullable=False),
        sa.Column("evidence", _TEXT, nullable=True),
        sa.Column("tests", _TEXT, nullable=False),
        sa.Column("fingerprint", _TEXT, nullable=True),
        sa.Column("duplicate_of", _KEY, sa.ForeignKey("report.id"), nullable=True),
        sa.Column("forwarded_by", _TEXT, nullable=True),
        sa.Column("language", _TEXT, nullable=True),
        sa.Column("report_message_id", _TEXT, nullable=True),
        sa.Column("report_date", _INSTANT, nullable=True),
        sa.Column("reporting_mta", _TEXT, nullable=True),
        sa.Column("received_from_mta", _TEXT, nullable=True),
        sa.Column("arrival_date", _INSTANT, nullable=True),
        sa.Column("original_envelope_id", _TEXT, nullable=True),
        sa.Column("original_message_id", _TEXT, nullable=True),
        sa.Column("original_sender", _TEXT, nullable=True),
        sa.Column("original_subject", _TEXT, nullable=True),
        sa.Column("original_date", _INSTANT, nullable=True),
        sa.Column("original_automatic", _TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_report_duplicate_of", "report", ["duplicate_of"])
    op.create_index("ix_report_message", "report", ["message_id"])
    op.create_index("ix_report_original", "report", ["original_message_id"])
    op.create_index(
        "uq_report_fingerprint",
        "report",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text("duplicate_of IS NULL"),
        postgresql_where=sa.text("duplicate_of IS NULL"),
    )


def _bounce() -> None:
    op.create_table(
        "bounce",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("report_id", _KEY, sa.ForeignKey("report.id"), nullable=False),
        sa.Column("message_id", _KEY, sa.ForeignKey("message.id"), nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("occurred_at", _INSTANT, nullable=False),
        sa.Column("recipient", _TEXT, nullable=False),
        sa.Column("recipient_key", _TEXT, nullable=False),
        sa.Column("recipient_domain", _TEXT, nullable=True),
        sa.Column("recipient_decoded", _TEXT, nullable=True),
        sa.Column("original_recipient", _TEXT, nullable=True),
        sa.Column("sender", _TEXT, nullable=True),
        sa.Column("sender_key", _TEXT, nullable=True),
        sa.Column("sender_domain", _TEXT, nullable=True),
        sa.Column("action", _TEXT, nullable=False),
        sa.Column("status", _TEXT, nullable=True),
        sa.Column("reply_code", _TEXT, nullable=True),
        sa.Column("cause", _TEXT, nullable=False),
        sa.Column("persistence", _TEXT, nullable=False),
        sa.Column("owner", _TEXT, nullable=False),
        sa.Column("side", _TEXT, nullable=True),
        sa.Column("evidence", _TEXT, nullable=True),
        sa.Column("remote_mta", _TEXT, nullable=True),
        sa.Column("diagnostic_code", _TEXT, nullable=True),
        sa.Column("remote_status", _TEXT, nullable=True),
        sa.Column("remote_reply_code", _TEXT, nullable=True),
        sa.Column("entry", _TEXT, nullable=True),
        sa.Column("why", _TEXT, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bounce_cause", "bounce", ["cause", "occurred_at", "action", "message_id"])
    op.create_index("ix_bounce_message", "bounce", ["message_id"])
    op.create_index("ix_bounce_occurred", "bounce", ["occurred_at"])
    op.create_index("ix_bounce_owner", "bounce", ["owner", "occurred_at", "action", "message_id"])
    op.create_index("ix_bounce_recipient", "bounce", ["recipient_key", "occurred_at", "action", "message_id"])
    op.create_index(
        "ix_bounce_recipient_domain", "bounce", ["recipient_domain", "occurred_at", "action", "message_id"]
    )
    op.create_index("ix_bounce_reply_code", "bounce", ["reply_code", "occurred_at"])
    op.create_index("ix_bounce_report", "bounce", ["report_id"])
    op.create_index("ix_bounce_sender", "bounce", ["sender_key", "occurred_at", "action", "message_id"])
    op.create_index("ix_bounce_sender_domain", "bounce", ["sender_domain", "occurred_at"])
    op.create_index("ix_bounce_status", "bounce", ["status", "occurred_at", "action", "message_id"])


def _quarantined() -> None:
    op.create_table(
        "quarantined",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("message_id", _KEY, sa.ForeignKey("message.id"), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("sha256", _TEXT, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_quarantined_message", "quarantined", ["message_id"])
    op.create_index("ix_quarantined_state", "quarantined", ["state", "id"])


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("value", _TEXT, nullable=False),
    )
