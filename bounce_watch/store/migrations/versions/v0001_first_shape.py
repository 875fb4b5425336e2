"""The first shape of the store."""

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
    _incident()
    _incident_event()
    _incident_change()
    _outgoing()
    _withheld()
    _digest()
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
    op.create_index("ix_bounce_cause", "bounce", ["cause", "occurred_at"])
    op.create_index("ix_bounce_message", "bounce", ["message_id"])
    op.create_index("ix_bounce_occurred", "bounce", ["occurred_at"])
    op.create_index("ix_bounce_owner", "bounce", ["owner", "occurred_at"])
    op.create_index("ix_bounce_recipient", "bounce", ["recipient_key", "occurred_at"])
    op.create_index("ix_bounce_recipient_domain", "bounce", ["recipient_domain", "occurred_at"])
    op.create_index("ix_bounce_reply_code", "bounce", ["reply_code", "occurred_at"])
    op.create_index("ix_bounce_report", "bounce", ["report_id"])
    op.create_index("ix_bounce_sender", "bounce", ["sender_key", "occurred_at"])
    op.create_index("ix_bounce_sender_domain", "bounce", ["sender_domain", "occurred_at"])
    op.create_index("ix_bounce_status", "bounce", ["status", "occurred_at"])


def _incident() -> None:
    op.create_table(
        "incident",
        sa.Column("number", _KEY, primary_key=True),
        sa.Column("fingerprint", _TEXT, nullable=False),
        sa.Column("rule_id", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("previous", _KEY, sa.ForeignKey("incident.number"), nullable=True),
        sa.Column("quiet", sa.Boolean(), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("resolved_at", _INSTANT, nullable=True),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("severity", _TEXT, nullable=False),
        sa.Column("owner", _TEXT, nullable=False),
        sa.Column("playbook", _TEXT, nullable=False),
        sa.Column("first_at", _INSTANT, nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("grown_at", sa.Integer(), nullable=False),
        sa.Column("senders", _TEXT, nullable=False),
        sa.Column("recipient_domains", _TEXT, nullable=False),
        sa.Column("statuses", _TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_fingerprint", "incident", ["fingerprint", "number"])
    op.create_index("ix_incident_state", "incident", ["state", "number"])
    op.create_index(
        "uq_incident_unresolved",
        "incident",
        ["fingerprint"],
        unique=True,
        sqlite_where=sa.text("state <> 'resolved'"),
        postgresql_where=sa.text("state <> 'resolved'"),
    )


def _incident_event() -> None:
    op.create_table(
        "incident_event",
        sa.Column("incident", _KEY, sa.ForeignKey("incident.number"), primary_key=True),
        sa.Column("bounce_id", _KEY, sa.ForeignKey("bounce.id"), primary_key=True),
    )
    op.create_index("ix_incident_event_bounce", "incident_event", ["bounce_id"])


def _incident_change() -> None:
    op.create_table(
        "incident_change",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("incident", _KEY, sa.ForeignKey("incident.number"), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("change", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("note", _TEXT, nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_change_incident", "incident_change", ["incident", "id"])


def _outgoing() -> None:
    op.create_table(
        "outgoing",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("event_key", _TEXT, nullable=False),
        sa.Column("bw_id", _TEXT, nullable=False),
        sa.Column("recipient", _TEXT, nullable=False),
        sa.Column("recipient_key", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("preview", _TEXT, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("cause", _TEXT, nullable=True),
        sa.Column("report_id", _KEY, sa.ForeignKey("report.id"), nullable=True),
        sa.Column("incident", _KEY, sa.ForeignKey("incident.number"), nullable=True),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("pending_since", _INSTANT, nullable=True),
        sa.Column("next_at", _INSTANT, nullable=True),
        sa.Column("lease_owner", _TEXT, nullable=True),
        sa.Column("lease_until", _INSTANT, nullable=True),
        sa.Column("server_reply", _TEXT, nullable=True),
        sa.Column("sent_at", _INSTANT, nullable=True),
        sa.UniqueConstraint("bw_id", name="uq_outgoing_bw_id"),
        sa.UniqueConstraint("event_key", name="uq_outgoing_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outgoing_due", "outgoing", ["state", "next_at", "id"])
    op.create_index("ix_outgoing_incident", "outgoing", ["incident"])
    op.create_index("ix_outgoing_person", "outgoing", ["recipient_key", "kind", "created_at"])
    op.create_index("ix_outgoing_recipient", "outgoing", ["recipient_key", "cause", "created_at"])
    op.create_index("ix_outgoing_released", "outgoing", ["pending_since"])
    op.create_index("ix_outgoing_report", "outgoing", ["report_id"])
    op.create_index("ix_outgoing_sent", "outgoing", ["sent_at"])


def _withheld() -> None:
    op.create_table(
        "withheld",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("recipient", _TEXT, nullable=True),
        sa.Column("recipient_key", _TEXT, nullable=True),
        sa.Column("cause", _TEXT, nullable=True),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("report_id", _KEY, sa.ForeignKey("report.id"), nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_withheld_recipient", "withheld", ["recipient_key", "at"])
    op.create_index("ix_withheld_report", "withheld", ["report_id"])


def _digest() -> None:
    op.create_table(
        "digest",
        sa.Column("local_date", sa.Date(), primary_key=True),
        sa.Column("time_zone", _TEXT, nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.Column("message_to", _KEY, nullable=False),
        sa.Column("report_to", _KEY, nullable=False),
        sa.Column("bounce_to", _KEY, nullable=False),
        sa.Column("change_to", _KEY, nullable=False),
        sa.Column("withheld_to", _KEY, nullable=False),
        sa.Column("quarantined_to", _KEY, nullable=False),
        sa.Column("event_key", _TEXT, nullable=True),
    )


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
