"""What the configuration says about our own organization."""

from dataclasses import dataclass
from enum import StrEnum

from bounce_watch.model.address import domain_of
from bounce_watch.model.vocabulary import Evidence


class Authority(StrEnum):
    """What makes a report trusted: the headers that Exchange adds, or its position in this mailbox."""

    EXCHANGE_HEADERS = "exchange-headers"
    MAILBOX = "mailbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Our organization. Domains are lower-case A-labels; own addresses never get guidance.

    `own_hosts` are host name suffixes of our servers (`contoso.com`, `contoso.mail.protection.outlook.com`).
    `tenant` is our directory (tenant) ID in lower case, None if it is not configured.
    `forwarders` are lower-case addresses whose forwards count about anyone.
    """

    organisation: str
    accepted_domains: frozenset[str]
    own_addresses: frozenset[str] = frozenset()
    own_hosts: tuple[str, ...] = ()
    authority: Authority = Authority.EXCHANGE_HEADERS
    tenant: str | None = None
    forwarders: frozenset[str] = frozenset()
    accepted_evidence: frozenset[Evidence] = frozenset({Evidence.INTERNAL, Evidence.MEMBER})

    def is_ours(self, address: str | None) -> bool:
        """Tell whether an address is in an accepted domain, not in a subdomain of one."""
        return domain_of(address) in self.accepted_domains
