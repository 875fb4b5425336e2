"""The values that all packages share. Standard library only, no I/O, no clock."""

from bounce_watch.model.address import is_subject_hash, subject_hash
from bounce_watch.model.bounce import Bounce
from bounce_watch.model.digest import Count, Digest, Edition, Health, Unread, closes
from bounce_watch.model.finding import Event, Finding, Severity
from bounce_watch.model.incident import CLOSED, Incident, IncidentState
from bounce_watch.model.judged_report import JudgedReport
from bounce_watch.model.outgoing import GUIDANCE, Letter, LetterKind, OutboxState
from bounce_watch.model.overview import HourCount, IncidentStep, IncidentStory, ListedBounce, Overview
from bounce_watch.model.refusal_details import Details
from bounce_watch.model.report import (
    Answer,
    NotAReport,
    OriginalMessage,
    Provenance,
    Reading,
    RecipientFields,
    Report,
    Unreadable,
)
from bounce_watch.model.site import Authority, Site
from bounce_watch.model.vocabulary import (
    EXCHANGE_ONLINE_DECIDES,
    Action,
    Cause,
    Certainty,
    Evidence,
    Kind,
    Owner,
    Persistence,
    Side,
    Signature,
)
