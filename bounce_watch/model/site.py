"""What the configuration says about our own organization."""

from dataclasses import dataclass
from enum import StrEnum

from bounce_watch.model.address import domain_of
from bounce_watch.model.vocabulary import Evidence


class Authority(StrEnum):
    """What proves who wrote a message in the mailbox: Exchange's mark, a receiving server, its position."""

    EXCHANGE_HEADERS = "exchange-headers"
    AUTHENTICATION_RESULTS = "authentication-results"
    MAILBOX = "mailbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Our organization. Domains are lower-case A-labels; own addresses never get guidance.

    `own_hosts` are host name suffixes of our servers (`contoso.com`, `contoso.mail.protection.outlook.com`).
    `tenant` is our directory (tenant) ID in lower case, None if it is not configured.
    `authserv_ids` name receiving servers whose Authentication-Results count (RFC 8601), in lower case.
    `forwarders` are lower-case addresses whose forwards count about anyone.
    """

    organisation: str
    accepted_domains: frozenset[str]
    own_addresses: frozenset[str] = frozenset()
    own_hosts: tuple[str, ...] = ()
    authority: Authority = Authority.EXCHANGE_HEADERS
    tenant: str | None = None
    authserv_ids: frozenset[str] = frozenset()
    forwarders: frozenset[str] = frozenset()
    accepted_evidence: frozenset[Evidence] = frozenset({Evidence.INTERNAL, Evidence.MEMBER})

    def is_ours(self, address: str | None) -> bool:
        """Tell whether an address is in an accepted domain, not in a subdomain of one."""
        return domain_of(address) in self.accepted_domains

    def is_our_host(self, host: str | None) -> bool:
        """Tell whether a host name is in one of our domains or is one of our servers."""
        name = (host or "").lower()
        ours = (*self.accepted_domains, *self.own_hosts)
        return any(name == domain or name.endswith(f".{domain}") for domain in ours)
