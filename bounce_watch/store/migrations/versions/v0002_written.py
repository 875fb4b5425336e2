"""Create the tables of incidents, the outbox and digests."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.BigInteger()
_TEXT = sa.Text()


def upgrade() -> None:
    _incident()
    _incident_event()
    _incident_change()
    _outgoing()
    _withheld()
    _digest()


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
    op.create_index("ix_outgoing_state", "outgoing", ["state", "id"])
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
    op.create_index("ix_withheld_reason", "withheld", ["reason"])
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
