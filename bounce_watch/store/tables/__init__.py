"""The tables. Their rows do not leave the store package; `migrations` creates the same schema.

Times are microseconds since 1970 (UTC). Columns ending in `_key` hold the search form of an address.
Row numbers are never used again after a deletion, because the digest counts by them.
"""

from bounce_watch.store.tables.bookkeeping import Audit, DailyCount, DnsFinding, Meta
from bounce_watch.store.tables.incidents import Incident, IncidentChange, IncidentEvent
from bounce_watch.store.tables.outbox import Digest, Outgoing, Withheld
from bounce_watch.store.tables.received import Bounce, Message, Quarantined, Report
