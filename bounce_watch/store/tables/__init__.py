"""The tables. Rows stay inside this package; migrations/ holds the same shape as steps.

Times are microseconds since 1970 (UTC). Columns ending in `_key` hold the searchable form of the
address beside them. Row numbers never come back after a deletion: the digest counts by them.
"""

from bounce_watch.store.tables.bookkeeping import Audit, DailyCount, Meta
from bounce_watch.store.tables.incidents import Incident, IncidentChange, IncidentEvent
from bounce_watch.store.tables.outbox import Digest, Outgoing, Withheld
from bounce_watch.store.tables.received import Bounce, Message, Quarantined, Report

__all__ = [
    "Audit",
    "Bounce",
    "DailyCount",
    "Digest",
    "Incident",
    "IncidentChange",
    "IncidentEvent",
    "Message",
    "Meta",
    "Outgoing",
    "Quarantined",
    "Report",
    "Withheld",
]
