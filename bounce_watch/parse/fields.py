"""What a format reads out of a report, before it is joined with the headers around it."""

from datetime import datetime
from typing import NamedTuple

from bounce_watch.model import Action, Kind, RecipientFields
from bounce_watch.unwrap import Headers


class ReportFields(NamedTuple):
    """The fields of one report. `kind` is None where it follows from the actions.

    `returned` are headers of the original mail that the format found in the report's text.
    """

    recipients: tuple[RecipientFields, ...]
    kind: Kind | None = None
    reporting_mta: str | None = None
    received_from_mta: str | None = None
    arrival_date: datetime | None = None
    original_envelope_id: str | None = None
    returned: Headers | None = None


def kind_of(recipients: tuple[RecipientFields, ...]) -> Kind:
    """Return the kind that follows from the actions: a failure outweighs a delay, a delay a success."""
    actions = {entry.action for entry in recipients}
    if Action.FAILED in actions:
        return Kind.FAILURE
    if Action.DELAYED in actions:
        return Kind.DELAY
    return Kind.SUCCESS if actions - {None} else Kind.NOT_A_REPORT
