"""What the configuration says about our own organisation."""

from dataclasses import dataclass
from enum import StrEnum

from bounce_watch.model.address import domain_of
from bounce_watch.model.vocabulary import Evidence


class Authority(StrEnum):
    """What makes a report our own server's word: the headers Exchange adds, or being in this mailbox."""

    EXCHANGE_HEADERS = "exchange-headers"
    MAILBOX = "mailbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Our organisation. Domains are lower-case A-labels; own addresses never get guidance.

    `own_hosts` are host name suffixes of our servers (`contoso.com`, `contoso.mail.protection.outlook.com`).
    `tenant` is our directory (tenant) ID in lower case, None when the configuration does not name it.
    """

    organisation: str
    accepted_domains: frozenset[str]
    own_addresses: frozenset[str] = frozenset()
    own_hosts: tuple[str, ...] = ()
    authority: Authority = Authority.EXCHANGE_HEADERS
    tenant: str | None = None
    accepted_evidence: frozenset[Evidence] = frozenset({Evidence.INTERNAL})

    def is_ours(self, address: str | None) -> bool:
        """Tell whether an address lies in an accepted domain: exact match, sub-domains are not included."""
        return domain_of(address) in self.accepted_domains
