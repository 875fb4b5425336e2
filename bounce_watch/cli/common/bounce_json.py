"""A stored bounce as the object that `--json` prints."""

from typing import Any

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
