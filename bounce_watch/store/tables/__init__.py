"""The tables. Rows stay inside this package; migrations/ holds the same shape as steps.

Times are microseconds since 1970 (UTC). Columns ending in `_key` hold the searchable form of the
address beside them. Row numbers never come back after a deletion: the digest counts by them.
"""

from bounce_watch.store.tables.audit import Audit
from bounce_watch.store.tables.incidents import Incident, IncidentChange, IncidentEvent
from bounce_watch.store.tables.meta import Meta
from bounce_watch.store.tables.received import Bounce, Message, Quarantined, Report
from bounce_watch.store.tables.tally import Scattered, Tally
from bounce_watch.store.tables.written import Digest, Outgoing, Withheld

__all__ = [
    "Audit",
    "Bounce",
    "Digest",
    "Incident",
    "IncidentChange",
    "IncidentEvent",
    "Message",
    "Meta",
    "Outgoing",
    "Quarantined",
    "Report",
    "Scattered",
    "Tally",
    "Withheld",
]
