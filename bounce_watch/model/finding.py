"""The events that the detection rules read, and their findings."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bounce_watch.model.refusal_details import Details
from bounce_watch.model.vocabulary import Cause, Certainty, Evidence, Owner, Side


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Return its place in the order of importance, 0 for the highest."""
        return list(type(self)).index(self)

    @property
    def is_urgent(self) -> bool:
        """Incidents of these severities are never closed automatically."""
        return self in (Severity.CRITICAL, Severity.HIGH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One bounce as the rules see it. `bounce_id` and `message_id` are store ids, `occurred_at` is UTC.

    `proven` is the domain or IP address for which DNS proved the cause, None for none.
    """

    bounce_id: int
    message_id: int
    occurred_at: datetime
    cause: Cause
    status: str | None
    side: Side | None
    evidence: Evidence | None
    sender: str | None
    sender_domain: str | None
    recipient: str
    recipient_domain: str | None
    certainty: Certainty | None = None
    proven: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule fired for one key. The fingerprint `rule_id` + `key` names at most one open incident.

    `messages` counts messages, not recipients. `events` are the ids of the bounces that it rests on.
    `confirmed` is false while only the person concerned reported it.
    """

    rule_id: str
    key: str
    title: str
    severity: Severity
    owner: Owner
    playbook: str
    first_at: datetime
    last_at: datetime
    messages: int = 0
    senders: tuple[str, ...] = ()
    recipient_domains: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    events: tuple[int, ...] = ()
    confirmed: bool = True

    @property
    def fingerprint(self) -> str:
        return f"{self.rule_id}:{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalExamples:
    """What the newest rejections of an incident say; each tuple without repeats, the most frequent first.

    `entries` are names of catalogue rows, `message_ids` those of the returned messages.
    """

    details: tuple[Details, ...] = ()
    entries: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()

    @property
    def sending_addresses(self) -> tuple[str, ...]:
        """The IP addresses that remote servers name as the sender's."""
        found = (known.blocked_ip or known.spf_ip for known in self.details)
        return tuple(dict.fromkeys(address for address in found if address))


NO_EXAMPLES = RefusalExamples()
