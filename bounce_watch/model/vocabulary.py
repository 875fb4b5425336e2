"""The enumerations that describe a bounce."""

from enum import StrEnum


class Kind(StrEnum):
    """What a message is."""

    FAILURE = "failure"
    DELAY = "delay"
    SUCCESS = "success"
    FEEDBACK = "feedback"
    AUTO_REPLY = "auto_reply"
    RECEIPT = "receipt"
    NOT_A_REPORT = "not_a_report"
    UNREADABLE = "unreadable"


class Action(StrEnum):
    """What the reporter did for one recipient (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class Cause(StrEnum):
    """Why a recipient was not reached. Newer versions may add causes."""

    RECIPIENT_UNKNOWN = "recipient_unknown"
    RECIPIENT_MOVED = "recipient_moved"
    RECIPIENT_REJECTED = "recipient_rejected"
    MAILBOX_FULL = "mailbox_full"
    MAILBOX_DISABLED = "mailbox_disabled"
    DOMAIN_NOT_FOUND = "domain_not_found"
    DOMAIN_ACCEPTS_NO_MAIL = "domain_accepts_no_mail"
    MESSAGE_EXPIRED = "message_expired"
    NETWORK_ERROR = "network_error"
    RELAY_DENIED = "relay_denied"
    MAIL_LOOP = "mail_loop"
    MESSAGE_TOO_LARGE = "message_too_large"
    MESSAGE_MALFORMED = "message_malformed"
    CONTENT_REJECTED = "content_rejected"
    SPAM_DETECTED = "spam_detected"
    VIRUS_DETECTED = "virus_detected"
    BLOCKED_REPUTATION = "blocked_reputation"
    MISSING_REVERSE_DNS = "missing_reverse_dns"
    BAD_HELO = "bad_helo"
    SPF_FAILED = "spf_failed"
    DKIM_FAILED = "dkim_failed"
    DMARC_FAILED = "dmarc_failed"
    AUTHENTICATION_FAILED = "authentication_failed"
    TLS_FAILURE = "tls_failure"
    CLIENT_NOT_AUTHENTICATED = "client_not_authenticated"
    NOT_AUTHORISED = "not_authorised"
    POLICY_REJECTED = "policy_rejected"
    SENDER_REJECTED = "sender_rejected"
    SENDER_BLOCKED = "sender_blocked"
    SENDER_BANNED = "sender_banned"
    SENDER_QUOTA_EXCEEDED = "sender_quota_exceeded"
    TENANT_BLOCKED = "tenant_blocked"
    TENANT_QUOTA_EXCEEDED = "tenant_quota_exceeded"
    IPV6_RATE_LIMITED = "ipv6_rate_limited"
    RATE_LIMITED = "rate_limited"
    FORWARDING_DISABLED = "forwarding_disabled"
    REMOTE_SYSTEM_ERROR = "remote_system_error"
    LOCAL_SYSTEM_ERROR = "local_system_error"
    GREYLISTED = "greylisted"
    UNKNOWN = "unknown"

    @classmethod
    def read(cls, word: str) -> "Cause":
        """Return the cause of a stored word, UNKNOWN for the word of a newer version."""
        try:
            return cls(word)
        except ValueError:
            return cls.UNKNOWN


EXCHANGE_ONLINE_DECIDES = frozenset({
    Cause.SENDER_BLOCKED, Cause.SENDER_BANNED, Cause.SENDER_QUOTA_EXCEEDED,
    Cause.TENANT_BLOCKED, Cause.TENANT_QUOTA_EXCEEDED, Cause.FORWARDING_DISABLED,
})  # fmt: skip
"""Causes that only Exchange Online decides; from a remote server the same words are that server's refusal."""


class Persistence(StrEnum):
    """Whether the same message could succeed later without a change."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    UNKNOWN = "unknown"


class Owner(StrEnum):
    """Who must act."""

    SENDER = "sender"
    MAIL_ADMIN = "mail_admin"
    SECURITY = "security"
    RECIPIENT_ADMIN = "recipient_admin"
    PROVIDER = "provider"
    NOBODY = "nobody"


class Side(StrEnum):
    """Whose server refused: our organization's or a remote one."""

    OURS = "ours"
    THEIRS = "theirs"


class Certainty(StrEnum):
    """How firmly a cause is known.

    `told`: the server's words or an unambiguous code say so. `likely`: their usual meaning.
    `not_told`: a code that gives no reason.
    """

    TOLD = "told"
    LIKELY = "likely"
    NOT_TOLD = "not_told"


class Signature(StrEnum):
    """The check of our domain's DKIM signature on the headers of a returned message (RFC 6376).

    `not checked`: the site does not check signatures. `absent`: the report returns no signature of ours.
    `unknown`: the key could not be looked up.
    """

    NOT_CHECKED = "not checked"
    ABSENT = "absent"
    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """How far a report is trusted. Only tiers that the site accepts cause a message or an incident.

    The strongest comes first. `member`: a member of the organization forwarded it, and it is about a message
    of this member.
    """

    INTERNAL = "internal"
    MEMBER = "member"
    CORRELATED = "correlated"
    UNVERIFIED = "unverified"
    CONTRADICTORY = "contradictory"

    def is_stronger_than(self, other: "Evidence | None") -> bool:
        """Tell whether this proves more than another level; any level is more than None."""
        order = list(type(self))
        return other is None or order.index(self) < order.index(other)
