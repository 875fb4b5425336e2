"""One failed or delayed recipient of one message, as it is stored, searched and counted."""

from dataclasses import dataclass
from datetime import datetime

from bounce_watch.model.address import domain_of
from bounce_watch.model.refusal_details import Details
from bounce_watch.model.vocabulary import Action, Cause, Certainty, Evidence, Owner, Persistence, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """Absent values are None. Addresses are as the report gives them, lower case in the domain only.

    `certainty` says how firmly the cause is known, None if nothing failed or an older version judged it.
    `entry` names the catalogue row that decided, `why` says in one sentence how.
    `recipient_decoded` is the readable form of an IMCEAEX address.
    `occurred_at` is when the failure became known (UTC): the report's date, else when the mail arrived at its
    writer, which for an expired mail is days earlier.
    `details` holds what the server's words say beyond the code.
    `catalogue` is the version of the catalogue that judged, None before versions were stored.
    `proven` is the domain or IP address for which DNS proved the cause.
    """

    recipient: str
    sender: str | None
    action: Action
    status: str | None
    reply_code: str | None
    cause: Cause
    persistence: Persistence
    owner: Owner
    side: Side | None
    evidence: Evidence | None = None
    original_recipient: str | None = None
    recipient_decoded: str | None = None
    remote_mta: str | None = None
    diagnostic_code: str | None = None
    remote_status: str | None = None
    remote_reply_code: str | None = None
    entry: str | None = None
    why: str | None = None
    occurred_at: datetime | None = None
    details: Details | None = None
    certainty: Certainty | None = None
    catalogue: str | None = None
    proven: str | None = None

    @property
    def recipient_domain(self) -> str | None:
        return domain_of(self.recipient)

    @property
    def sender_domain(self) -> str | None:
        return domain_of(self.sender)

    @property
    def code(self) -> str | None:
        """The status, else the reply code."""
        return self.status or self.reply_code
