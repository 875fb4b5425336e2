"""What a colleague may have meant: an address or domain one slip of the finger away from a known one.

A suggestion only. One slip is a letter too many, too few, wrong, or two letters exchanged (optimal string
alignment distance 1).
"""

from collections.abc import Iterable

from rapidfuzz.distance import OSA

from bounce_watch.model import Bounce, Cause
from bounce_watch.model.address import domain_of, is_deliverable

SHORTEST = 4
"""Names shorter than this have too many neighbours."""

PROVIDERS = (
    *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com"),
    *("icloud.com", "proton.me", "protonmail.com", "aol.com", "outlook.de", "hotmail.de", "yahoo.de"),
    *("t-online.de", "freenet.de", "posteo.de", "bluewin.ch", "yahoo.fr", "hotmail.fr", "orange.fr"),
    *("wanadoo.fr", "laposte.net", "yahoo.es", "hotmail.es", "telefonica.net", "libero.it", "hotmail.it"),
    *("virgilio.it", "ziggo.nl", "kpnmail.nl", "planet.nl", "sapo.pt", "btinternet.com", "yahoo.co.uk"),
)
"""Domains of the common providers, long enough that a neighbour is a mistake."""

_NO_SUCH_ADDRESS = frozenset((Cause.RECIPIENT_UNKNOWN, Cause.RECIPIENT_REJECTED, Cause.MAILBOX_DISABLED))
_NO_SUCH_DOMAIN = frozenset(
    (
        *(Cause.DOMAIN_NOT_FOUND, Cause.DOMAIN_ACCEPTS_NO_MAIL, Cause.RELAY_DENIED),
        *(Cause.MESSAGE_EXPIRED, Cause.NETWORK_ERROR),
    )
)


def may_be_a_slip(cause: Cause) -> bool:
    """Tell whether a refusal for this cause can come from a mistyped address: else nothing is suggested."""
    return cause in _NO_SUCH_ADDRESS or cause in _NO_SUCH_DOMAIN


def find_suggestion(bounce: Bounce, addresses: Iterable[str], domains: Iterable[str]) -> str | None:
    """Return the address that was probably meant, None when nothing known is one slip away.

    `addresses` and `domains` exist for certain, likeliest first. An address that is itself known, and one
    with tricks in it, gets no suggestion.
    """
    about_domain = bounce.cause in _NO_SUCH_DOMAIN
    if not (about_domain or bounce.cause in _NO_SUCH_ADDRESS) or not is_deliverable(bounce.recipient):
        return None
    local, _, domain = bounce.recipient.rpartition("@")
    known = _address_near(local, domain, addresses) if not about_domain else None
    near = known or _domain_near(domain, (*PROVIDERS, *domains))
    if near is None:
        return None
    meant = near if "@" in near else f"{local}@{near}"
    return meant if is_deliverable(meant) else None


def _address_near(local: str, domain: str, addresses: Iterable[str]) -> str | None:
    """Return the known address of the same domain whose local part is one slip away."""
    there = [address for address in addresses if domain_of(address) == domain_of(f"x@{domain}")]
    locals_known = [address.rpartition("@")[0].lower() for address in there]
    found = _near(local.lower(), locals_known)
    return there[locals_known.index(found)] if found is not None else None


def _domain_near(domain: str, domains: Iterable[str]) -> str | None:
    return _near(domain.lower(), [name.lower() for name in domains])


def _near(name: str, known: list[str]) -> str | None:
    if len(name) < SHORTEST or name in known:
        return None
    return next((other for other in known if OSA.distance(name, other, score_cutoff=1) == 1), None)
