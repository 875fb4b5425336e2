"""What the store knows near a recipient: a mistyped address is one slip away from it."""

from bounce_watch.model import Bounce, Site
from bounce_watch.store import StoreQueries


def find_similar(store: StoreQueries, site: Site, lead: Bounce) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return addresses at the domain, and our own domains with those that the sender's mail reached."""
    known, accepted, domain = store.known_addresses, site.accepted_evidence, lead.recipient_domain
    addresses: tuple[str, ...] = ()
    domains = tuple(sorted(site.accepted_domains))
    if domain is not None:
        addresses = known.at_domain(domain, accepted)
        if lead.sender is not None:
            domains = (*domains, *known.domains(lead.sender, domain, accepted))
    return addresses, domains
