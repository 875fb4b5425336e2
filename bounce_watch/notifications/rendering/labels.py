"""Labels for people, for identifiers such as recipient_unknown or mail_admin."""

from bounce_watch.model import Cause, Certainty, Owner, Severity
from bounce_watch.notifications.gate.values import WITHHELD

CAUSES: dict[Cause, str] = {
    Cause.RECIPIENT_UNKNOWN: "Address does not exist",
    Cause.RECIPIENT_MOVED: "Recipient has moved",
    Cause.RECIPIENT_REJECTED: "Recipient refused the mail",
    Cause.MAILBOX_FULL: "Mailbox is full",
    Cause.MAILBOX_DISABLED: "Mailbox is switched off",
    Cause.DOMAIN_NOT_FOUND: "Domain does not exist",
    Cause.DOMAIN_ACCEPTS_NO_MAIL: "Domain takes no mail",
    Cause.MESSAGE_EXPIRED: "Gave up after many tries",
    Cause.NETWORK_ERROR: "Server could not be reached",
    Cause.RELAY_DENIED: "Server does not serve the domain",
    Cause.MAIL_LOOP: "Mail went in circles",
    Cause.MESSAGE_TOO_LARGE: "Mail is too large",
    Cause.MESSAGE_MALFORMED: "Mail is malformed",
    Cause.CONTENT_REJECTED: "Content was refused",
    Cause.SPAM_DETECTED: "Taken for spam",
    Cause.VIRUS_DETECTED: "Taken for a virus",
    Cause.BLOCKED_REPUTATION: "Our server is on a blocklist",
    Cause.MISSING_REVERSE_DNS: "Our server has no reverse DNS",
    Cause.BAD_HELO: "Our server gave a bad name",
    Cause.SPF_FAILED: "SPF check failed",
    Cause.DKIM_FAILED: "DKIM check failed",
    Cause.DMARC_FAILED: "DMARC check failed",
    Cause.AUTHENTICATION_FAILED: "Sender could not be proved",
    Cause.TLS_FAILURE: "No secure connection",
    Cause.CLIENT_NOT_AUTHENTICATED: "Device or program not signed in",
    Cause.NOT_AUTHORISED: "Not allowed to write there",
    Cause.POLICY_REJECTED: "Refused by a policy",
    Cause.SENDER_REJECTED: "Sender's address was refused",
    Cause.SENDER_BLOCKED: "Our account is blocked",
    Cause.SENDER_BANNED: "Our account is banned by Microsoft",
    Cause.SENDER_QUOTA_EXCEEDED: "Sender's limit is used up",
    Cause.TENANT_BLOCKED: "Our organisation is blocked",
    Cause.TENANT_QUOTA_EXCEEDED: "Organisation's limit is used up",
    Cause.IPV6_RATE_LIMITED: "IPv6 limit is used up",
    Cause.RATE_LIMITED: "Too much mail at once",
    Cause.FORWARDING_DISABLED: "Forwarding outside is not allowed",
    Cause.REMOTE_SYSTEM_ERROR: "Fault in the other mail system",
    Cause.LOCAL_SYSTEM_ERROR: "Fault in our mail system",
    Cause.GREYLISTED: "Asked to try again later",
    Cause.UNKNOWN: "Cause not clear",
}

OWNERS: dict[Owner, str] = {
    Owner.SENDER: "The sender",
    Owner.MAIL_ADMIN: "Our mail admins",
    Owner.SECURITY: "Our security team",
    Owner.RECIPIENT_ADMIN: "The recipient's side",
    Owner.PROVIDER: "Microsoft or the provider",
    Owner.NOBODY: "Nobody: wait",
}

CERTAINTIES: dict[Certainty, str] = {
    Certainty.TOLD: "told: the server's words or an unambiguous code say so",
    Certainty.LIKELY: "likely: the usual meaning of what the server said",
    Certainty.NOT_TOLD: "not told: the server gave no clear reason",
}

SEVERITIES: dict[Severity, str] = {
    Severity.CRITICAL: "Critical",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
}

_ALL: dict[str, str] = dict([*CAUSES.items(), *OWNERS.items(), *WITHHELD.items()])


def label_of(word: str) -> str:
    """Return the label of a cause, owner or reason; an unknown word without its underscores."""
    return _ALL.get(word, word.replace("_", " "))
