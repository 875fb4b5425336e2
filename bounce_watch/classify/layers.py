"""Who wrote each layer of a message, from the mailbox to the report. docs/adr/0013 holds the model.

Exchange removes X-MS-Exchange-Organization headers from messages that enter the organization and writes its
own (header firewall, November 2026). So its mark counts on the message in the mailbox, and on a message that
our own Exchange carries unchanged. In anything that a person wrote it is only a claim.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from bounce_watch.classify.authentication import find_our_signer, has_failed, read_results
from bounce_watch.classify.side import EXCHANGE_SENDER
from bounce_watch.model import Authority, Provenance, Site
from bounce_watch.model.address import domain_of
from bounce_watch.unwrap.provenance import is_robot

AUTH_AS = "X-MS-Exchange-Organization-AuthAs"
INTERNAL_MARK = "internal"
_TENANT = ".onmicrosoft.com"
_NO_MARK = f"no {AUTH_AS}"


class Author(StrEnum):
    """Who wrote a layer, as far as that is proved."""

    EXCHANGE = "our Exchange"
    MEMBER = "a member"
    OUTSIDER = "an outsider"
    UNKNOWN = "not proved"
    FORGER = "contradicts itself"


class Position(Enum):
    """What lies around a layer: nothing, only our own systems, or a person's message."""

    MAILBOX = auto()
    CARRIED = auto()
    CLAIMED = auto()


@dataclass(frozen=True, slots=True)
class LayerFinding:
    """The author of a layer, and the header that decided. `is_marked`: as internal."""

    layer: Provenance
    author: Author
    header: str
    is_marked: bool = False

    @property
    def address(self) -> str:
        """The From address in lower case, or empty."""
        return (self.layer.from_address or "").lower()


@dataclass(frozen=True, slots=True)
class Chain:
    """The layers up to the report, or up to the one that ends the trust.

    `reporter` is the layer of the first member on the way whose forwards count about that member only.
    `is_vouched`: a listed forwarder handed the report on.
    """

    findings: tuple[LayerFinding, ...]
    is_whole: bool
    reporter: LayerFinding | None = None
    is_vouched: bool = False

    @property
    def last(self) -> LayerFinding:
        return self.findings[-1]


def read_chain(layers: Sequence[Provenance], site: Site) -> Chain:
    """Walk from the mailbox to the report, and stop at the first layer that is not of our organization."""
    position, is_vouched = Position.MAILBOX, False
    reporter: LayerFinding | None = None
    findings: list[LayerFinding] = []
    for number, layer in enumerate(layers, 1):
        found = find_author(layer, position, site)
        findings.append(found)
        if number < len(layers) and not _hands_on(found, position):
            return Chain(tuple(findings), is_whole=False)
        if found.author is Author.MEMBER:
            is_listed = found.address in site.forwarders
            is_vouched |= is_listed
            reporter = reporter or (None if is_listed else found)
            position = Position.CLAIMED
        elif position is Position.MAILBOX:
            position = Position.CARRIED
    return Chain(tuple(findings), is_whole=True, reporter=reporter, is_vouched=is_vouched)


def _hands_on(found: LayerFinding, position: Position) -> bool:
    """Tell whether what a layer holds can count."""
    is_claim = position is Position.CLAIMED and not found.is_marked and found.layer.opened != "inline"
    return found.author in (Author.EXCHANGE, Author.MEMBER) and not is_claim


def find_author(layer: Provenance, position: Position, site: Site) -> LayerFinding:
    """Return who wrote a layer. A mark against it counts anywhere, a mark for it only where it is proved."""
    if against := _contradiction(layer, site):
        return LayerFinding(layer, Author.FORGER, against)
    mark = layer.auth_as[0].strip() if layer.auth_as else None
    if mark is not None and mark.lower() != INTERNAL_MARK:
        return LayerFinding(layer, Author.OUTSIDER, f"{AUTH_AS}: {mark}")
    proof = _proof(layer, position, site)
    if proof is None:
        return LayerFinding(layer, Author.UNKNOWN, _missing(position, site))
    author = _author(layer, site, is_marked=mark is not None)
    if author in (Author.OUTSIDER, Author.UNKNOWN):
        proof = f"From: {layer.from_address}" if layer.from_address else "not exactly one From"
    return LayerFinding(layer, author, proof, is_marked=mark is not None)


def _proof(layer: Provenance, position: Position, site: Site) -> str | None:
    """Return the header that proves, or in a member's message claims, that our organization wrote a layer."""
    if position is Position.MAILBOX and site.authority is Authority.AUTHENTICATION_RESULTS:
        # Exchange's mark isn't removed from what enters such a mailbox.
        signer = find_our_signer(layer, site)
        return f"Authentication-Results: dkim=pass header.d={signer}" if signer else None
    if layer.auth_as:
        return f"{AUTH_AS}: Internal"
    if position is Position.MAILBOX and site.authority is Authority.MAILBOX:
        return f'{_NO_MARK}, and authority = "{Authority.MAILBOX}"'
    return _NO_MARK if position is Position.CLAIMED else None


def _missing(position: Position, site: Site) -> str:
    if position is Position.MAILBOX and site.authority is Authority.AUTHENTICATION_RESULTS:
        return "no Authentication-Results of a named server with our DKIM signature"
    return _NO_MARK


def _author(layer: Provenance, site: Site, *, is_marked: bool) -> Author:
    address = layer.from_address
    if address is None:
        return Author.UNKNOWN
    domain = domain_of(address) or ""
    of_exchange = _is_exchange_name(address) and is_marked and domain.endswith(_TENANT)
    if of_exchange or (is_robot(address) and site.is_our_host(domain)):
        return Author.EXCHANGE
    return Author.MEMBER if site.is_ours(address) else Author.OUTSIDER


def _contradiction(layer: Provenance, site: Site) -> str | None:
    """Return what speaks against a layer, whatever else it says; None for nothing."""
    marks = [mark.strip().lower() for mark in layer.auth_as]
    is_exchange = _is_exchange_name(layer.from_address) and site.is_ours(layer.from_address)
    if len(marks) > 1:
        return f"{len(marks)} {AUTH_AS} headers, and our Exchange writes one"
    if is_exchange and "anonymous" in marks:
        return f"From: {layer.from_address}, but {AUTH_AS}: Anonymous"
    if site.is_ours(layer.from_address) and has_failed(layer.authentication_results):
        results = read_results(layer.authentication_results)
        failed = ", ".join(f"{method}={verdict}" for method, verdict in results.items())
        return f"From: {layer.from_address}, but Authentication-Results: {failed}"
    return _foreign_tenant(layer, site, claims_ours=is_exchange or marks == [INTERNAL_MARK])


def _foreign_tenant(layer: Provenance, site: Site, *, claims_ours: bool) -> str | None:
    named = {tenant.strip().lower() for tenant in layer.tenant_ids}
    is_foreign = site.tenant is not None and claims_ours and bool(named) and named != {site.tenant}
    if len(named) > 1 or is_foreign:
        return f"X-MS-Exchange-CrossTenant-Id: {', '.join(sorted(named))}"
    return None


def _is_exchange_name(address: str | None) -> bool:
    return (address or "").rpartition("@")[0].lower() in (EXCHANGE_SENDER, "postmaster")
