"""Create the tables of messages, reports, bounces, quarantine and single values."""

import sqlalchemy as sa
from alembic import op

from bounce_watch.store.migrations.columns import columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    _message()
    _report()
    _bounce()
    _quarantined()
    _meta()


def _message() -> None:
    op.create_table(
        "message",
        *columns("""
            id:key! mailbox:text validity:big uid:text sha256:text? size:big? received_at:instant?
            seen_at:instant kind:text? state:text reason:text? attempts:int
        """),
        sa.UniqueConstraint("mailbox", "validity", "uid", name="uq_message_place"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_kind", "message", ["kind", "id"])
    op.create_index("ix_message_sha256", "message", ["sha256"])
    op.create_index("ix_message_state", "message", ["state", "id"])


def _report() -> None:
    op.create_table(
        "report",
        *columns("""
            id:key! message_id:key>message.id recorded_at:instant kind:text format:text envelopes:text
            evidence:text? tests:text fingerprint:text? duplicate_of:key?>report.id forwarded_by:text?
            language:text? report_message_id:text? report_date:instant? reporting_mta:text?
            received_from_mta:text? arrival_date:instant? original_envelope_id:text?
            original_message_id:text? original_sender:text? original_subject:text?
            original_date:instant? original_automatic:text
        """),
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
        *columns("""
            id:key! report_id:key>report.id message_id:key>message.id recorded_at:instant
            occurred_at:instant recipient:text recipient_key:text recipient_domain:text?
            recipient_decoded:text? original_recipient:text? sender:text? sender_key:text?
            sender_domain:text? action:text status:text? reply_code:text? cause:text persistence:text
            owner:text side:text? evidence:text? remote_mta:text? diagnostic_code:text?
            remote_status:text? remote_reply_code:text? entry:text? why:text?
        """),
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
        *columns("""
            id:key! message_id:key>message.id at:instant sha256:text raw:bytes reason:text attempts:int
            state:text
        """),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_quarantined_message", "quarantined", ["message_id"])
    op.create_index("ix_quarantined_state", "quarantined", ["state", "id"])


def _meta() -> None:
    op.create_table(
        "meta",
        *columns("name:text! value:text"),
    )
