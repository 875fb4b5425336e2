"""Create the tables of incidents, the outbox and digests."""

import sqlalchemy as sa
from alembic import op

from bounce_watch.store.migrations.columns import columns

revision = "0002"
down_revision = "0001"


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
        *columns("""
            number:key! fingerprint:text rule_id:text key:text state:text previous:key?>incident.number
            quiet:flag opened_at:instant updated_at:instant resolved_at:instant? title:text
            severity:text owner:text playbook:text first_at:instant last_at:instant messages:int
            grown_at:int senders:text recipient_domains:text statuses:text
        """),
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
        *columns("incident:key!>incident.number bounce_id:key!>bounce.id"),
    )
    op.create_index("ix_incident_event_bounce", "incident_event", ["bounce_id"])


def _incident_change() -> None:
    op.create_table(
        "incident_change",
        *columns(
            "id:key! incident:key>incident.number at:instant change:text by:text note:text messages:int"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_change_incident", "incident_change", ["incident", "id"])


def _outgoing() -> None:
    op.create_table(
        "outgoing",
        *columns("""
            id:key! kind:text event_key:text bw_id:text recipient:text recipient_key:text subject:text
            preview:text raw:bytes cause:text? report_id:key?>report.id incident:key?>incident.number
            state:text attempts:int created_at:instant pending_since:instant? next_at:instant?
            lease_owner:text? lease_until:instant? server_reply:text? sent_at:instant?
        """),
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
        *columns("""
            id:key! at:instant recipient:text? recipient_key:text? cause:text? reason:text
            report_id:key?>report.id
        """),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_withheld_recipient", "withheld", ["recipient_key", "at"])
    op.create_index("ix_withheld_reason", "withheld", ["reason"])
    op.create_index("ix_withheld_report", "withheld", ["report_id"])


def _digest() -> None:
    op.create_table(
        "digest",
        *columns("""
            local_date:date! time_zone:text since:instant until:instant message_to:key report_to:key
            bounce_to:key change_to:key withheld_to:key quarantined_to:key event_key:text?
        """),
    )
