"""All that can be asked of a store, by whoever can read: a Store or a Transaction."""

from bounce_watch.store.incidents.detail import Dossiers
from bounce_watch.store.incidents.incidents import IncidentList
from bounce_watch.store.maintenance.audit import UpkeepQuestions
from bounce_watch.store.messages.cursors import Whereabouts
from bounce_watch.store.messages.events import Events
from bounce_watch.store.messages.messages import KnownMessages
from bounce_watch.store.messages.quarantine import QuarantineList
from bounce_watch.store.outbox.queries import OutboxList
from bounce_watch.store.privacy.export import PersonExport
from bounce_watch.store.privacy.search import PersonQuestions
from bounce_watch.store.queries.digest import Digests
from bounce_watch.store.queries.known_addresses import Acquaintance
from bounce_watch.store.queries.overview import Overviews
from bounce_watch.store.queries.summary import Figures


class Questions(
    KnownMessages,
    Events,
    IncidentList,
    Dossiers,
    OutboxList,
    QuarantineList,
    Overviews,
    Digests,
    Figures,
    Acquaintance,
    UpkeepQuestions,
    PersonQuestions,
    PersonExport,
    Whereabouts,
):
    """Every question, answered from one consistent view."""
