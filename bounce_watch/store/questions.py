"""All that can be asked of a store, by whoever can read: a Store or a Transaction."""

from bounce_watch.store.acquaintance import Acquaintance
from bounce_watch.store.digest import Digests
from bounce_watch.store.dossier import Dossiers
from bounce_watch.store.events import Events
from bounce_watch.store.incidents import IncidentList
from bounce_watch.store.intake import KnownMessages
from bounce_watch.store.outbox_list import OutboxList
from bounce_watch.store.overview import Overviews
from bounce_watch.store.privacy import PersonQuestions
from bounce_watch.store.privacy_export import PersonExport
from bounce_watch.store.quarantine import QuarantineList
from bounce_watch.store.stats import Figures
from bounce_watch.store.upkeep import UpkeepQuestions
from bounce_watch.store.whereabouts import Whereabouts


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
