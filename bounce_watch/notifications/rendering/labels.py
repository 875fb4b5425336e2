"""Labels for people, for identifiers such as recipient_unknown or mail_admin."""

from bounce_watch.model import Cause, Certainty, Owner, Severity
from bounce_watch.notifications.gate.values import WITHHELD
from bounce_watch.notifications.rendering.translator import Translator
from bounce_watch.notifications.translatable import N_

CAUSES: dict[Cause, str] = {
    Cause.RECIPIENT_UNKNOWN: N_("Address does not exist"),
    Cause.RECIPIENT_MOVED: N_("Recipient has moved"),
    Cause.RECIPIENT_REJECTED: N_("Recipient rejected the message"),
    Cause.MAILBOX_FULL: N_("Mailbox is full"),
    Cause.MAILBOX_DISABLED: N_("Mailbox is no longer active"),
    Cause.DOMAIN_NOT_FOUND: N_("Domain does not exist"),
    Cause.DOMAIN_ACCEPTS_NO_MAIL: N_("Domain accepts no email"),
    Cause.MESSAGE_EXPIRED: N_("Not delivered in time"),
    Cause.NETWORK_ERROR: N_("Server could not be reached"),
    Cause.RELAY_DENIED: N_("Server does not serve the domain"),
    Cause.MAIL_LOOP: N_("Mail loop"),
    Cause.MESSAGE_TOO_LARGE: N_("Message is too large"),
    Cause.MESSAGE_MALFORMED: N_("Message is malformed"),
    Cause.CONTENT_REJECTED: N_("Content was rejected"),
    Cause.SPAM_DETECTED: N_("Flagged as spam"),
    Cause.VIRUS_DETECTED: N_("Flagged as malware"),
    Cause.BLOCKED_REPUTATION: N_("Our server is on a blocklist"),
    Cause.MISSING_REVERSE_DNS: N_("Our server has no reverse DNS"),
    Cause.BAD_HELO: N_("Our server gave a bad name"),
    Cause.SPF_FAILED: N_("SPF check failed"),
    Cause.DKIM_FAILED: N_("DKIM check failed"),
    Cause.DMARC_FAILED: N_("DMARC check failed"),
    Cause.AUTHENTICATION_FAILED: N_("Sender could not be verified"),
    Cause.TLS_FAILURE: N_("No secure connection"),
    Cause.CLIENT_NOT_AUTHENTICATED: N_("Device or program not signed in"),
    Cause.NOT_AUTHORISED: N_("Not allowed to write there"),
    Cause.POLICY_REJECTED: N_("Rejected by a policy"),
    Cause.SENDER_REJECTED: N_("Sender's address was rejected"),
    Cause.SENDER_BLOCKED: N_("Our account is blocked"),
    Cause.SENDER_BANNED: N_("Our account is banned by Microsoft"),
    Cause.SENDER_QUOTA_EXCEEDED: N_("Sender's limit is used up"),
    Cause.TENANT_BLOCKED: N_("Our organization is blocked"),
    Cause.TENANT_QUOTA_EXCEEDED: N_("Organization's limit is used up"),
    Cause.IPV6_RATE_LIMITED: N_("IPv6 limit is used up"),
    Cause.RATE_LIMITED: N_("Too many messages at once"),
    Cause.FORWARDING_DISABLED: N_("Forwarding outside is not allowed"),
    Cause.REMOTE_SYSTEM_ERROR: N_("Fault in the recipient's mail system"),
    Cause.LOCAL_SYSTEM_ERROR: N_("Fault in our mail system"),
    Cause.GREYLISTED: N_("Asked to try again later"),
    Cause.UNKNOWN: N_("Cause not clear"),
}

OWNERS: dict[Owner, str] = {
    Owner.SENDER: N_("Sender"),
    Owner.MAIL_ADMIN: N_("Mail admins"),
    Owner.SECURITY: N_("Security team"),
    Owner.RECIPIENT_ADMIN: N_("Recipient's admin"),
    Owner.PROVIDER: N_("Microsoft or the provider"),
    Owner.NOBODY: N_("None: wait"),
}

CERTAINTIES: dict[Certainty, str] = {
    Certainty.TOLD: "told: the server's words or an unambiguous code say so",
    Certainty.LIKELY: "likely: the usual meaning of what the server said",
    Certainty.NOT_TOLD: "not told: the server gave no clear reason",
}

SEVERITIES: dict[Severity, str] = {
    Severity.CRITICAL: N_("Critical"),
    Severity.HIGH: N_("High"),
    Severity.MEDIUM: N_("Medium"),
    Severity.LOW: N_("Low"),
}

_ALL: dict[str, str] = dict([*CAUSES.items(), *OWNERS.items(), *WITHHELD.items()])


def label_of(word: str, translator: Translator | None = None) -> str:
    """Return the label of a cause, owner or reason; an unknown word without its underscores."""
    label = _ALL.get(word)
    if label is None:
        return word.replace("_", " ")
    return translator.gettext(label) if translator else label
