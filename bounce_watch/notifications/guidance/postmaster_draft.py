"""A draft for the recipient's mail admin: what we sent, which server refused it and how, what we ask.

It holds only sender, recipient, times and IDs of ours: no subject, no names, no internal servers.
An admin reads and sends it; we never do. RFC 5321 section 4.5.1 requires the address postmaster@.
"""

from dataclasses import dataclass
from datetime import datetime

from bounce_watch.model import Bounce
from bounce_watch.model.address import is_deliverable, is_host_name
from bounce_watch.notifications.facts import OrganisationProfile
from bounce_watch.notifications.freeze import is_message_id
from bounce_watch.notifications.rendering.local_time import exact
from bounce_watch.notifications.rendering.refusal_details import evidence_lines
from bounce_watch.notifications.rendering.safe_text import defang, plain, quoted
from bounce_watch.notifications.rendering.templates import Templates, Value

TEMPLATE = "drafts/postmaster.txt.j2"
LONGEST_QUOTE = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFacts:
    """One bounce and the IDs by which the remote admin finds it. Times are UTC, None if unknown."""

    bounce: Bounce
    sent_at: datetime | None = None
    message_id: str | None = None
    envelope_id: str | None = None
    reporter: str | None = None


def postmaster_draft(templates: Templates, organisation: OrganisationProfile, facts: DraftFacts) -> str:
    """Return the draft with To and Subject lines. Raises TemplateFault."""
    bounce = facts.bounce
    codes = dict.fromkeys(
        code
        for code in (bounce.remote_reply_code, bounce.remote_status, bounce.reply_code, bounce.status)
        if code
    )
    values: dict[str, Value] = {
        "organisation": plain(organisation.name, 80),
        "postmaster": f"postmaster@{_domain(bounce.recipient_domain)}",
        "sender": _address(bounce.sender),
        "sender_domain": _domain(bounce.sender_domain),
        "recipient": _address(bounce.recipient),
        "recipient_domain": _domain(bounce.recipient_domain),
        "sent_at": exact(facts.sent_at),
        "refused_at": exact(bounce.occurred_at),
        "message_id": facts.message_id if is_message_id(facts.message_id) else "",
        "envelope_id": quoted(facts.envelope_id, 100),
        "reporter": _host(facts.reporter),
        "server": _host(bounce.remote_mta),
        "code": quoted(" ".join(codes), 40),
        "words": quoted(bounce.diagnostic_code, LONGEST_QUOTE),
        "evidence": list(evidence_lines(bounce.details)),
        "cause": str(bounce.cause),
    }
    return templates.render(TEMPLATE, values)


def _address(address: str | None) -> str:
    return address if address and is_deliverable(address) else defang(plain(address, 80)) or "?"


def _domain(domain: str | None) -> str:
    return domain if domain and is_host_name(domain) else defang(plain(domain, 80)) or "?"


def _host(host: str | None) -> str:
    """Return a server's name unchanged if it is a valid host name, else cleaned."""
    name = (host or "").strip()
    return name if is_host_name(name) else quoted(name, 80)
