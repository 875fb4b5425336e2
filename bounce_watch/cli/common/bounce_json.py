"""A stored bounce, and its incident, as `--json` prints them."""

from typing import Any

from bounce_watch.model import Incident
from bounce_watch.sandbox.json_output import bounce_object
from bounce_watch.store import BounceRow


def row_json(row: BounceRow) -> dict[str, Any]:
    """Return a stored bounce as the object that `--json` prints."""
    bounce = row.bounce
    return {
        "id": row.id,
        "occurred_at": bounce.occurred_at,
        **bounce_object(bounce),
        "evidence": bounce.evidence,
        "subject": row.subject,
        "original_message_id": row.original_message_id,
        "report_id": row.report_id,
    }


def incident_json(incident: Incident) -> dict[str, Any]:
    """Return an incident as it stands in the object of a bounce, a person or a domain."""
    return {"name": incident.name, "title": incident.finding.title, "state": incident.state}
