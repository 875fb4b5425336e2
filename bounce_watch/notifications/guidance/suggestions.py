"""What the sender may have meant: an address or domain one typing error away from a known one.

One typing error is a letter too many, too few, wrong, or two letters swapped (optimal string alignment
distance 1). Stale entries of Outlook's suggestions, whose IMCEAEX address people cannot check, too.
"""

import re
from collections.abc import Iterable

from rapidfuzz.distance import OSA

from bounce_watch.model import Bounce, Cause
from bounce_watch.model.address import domain_of, is_deliverable
from bounce_watch.notifications.rendering.safe_text import defang, plain

MIN_LENGTH = 4
"""Shorter names have too many neighbors."""

PROVIDERS = (
    *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com"),
    *("icloud.com", "proton.me", "protonmail.com", "aol.com", "outlook.de", "hotmail.de", "yahoo.de"),
    *("t-online.de", "freenet.de", "posteo.de", "bluewin.ch", "yahoo.fr", "hotmail.fr", "orange.fr"),
    *("wanadoo.fr", "laposte.net", "yahoo.es", "hotmail.es", "telefonica.net", "libero.it", "hotmail.it"),
    *("virgilio.it", "ziggo.nl", "kpnmail.nl", "planet.nl", "sapo.pt", "btinternet.com", "yahoo.co.uk"),
)
"""Domains of common providers, long enough that a neighbor is a mistake."""

LONGEST_NAME = 60
# Exchange Online puts hexadecimal digits and a hyphen before the name.
_NUMBER = re.compile(r"\A(?:[0-9A-Fa-f]{6,32}-|[0-9A-Fa-f]{32}\Z)")
_NO_SUCH_ADDRESS = frozenset((Cause.RECIPIENT_UNKNOWN, Cause.RECIPIENT_REJECTED, Cause.MAILBOX_DISABLED))
_NO_SUCH_DOMAIN = frozenset(
    (
        *(Cause.DOMAIN_NOT_FOUND, Cause.DOMAIN_ACCEPTS_NO_MAIL, Cause.RELAY_DENIED),
        *(Cause.MESSAGE_EXPIRED, Cause.NETWORK_ERROR),
    )
)


def may_be_mistyped(cause: Cause) -> bool:
    """Tell whether a mistyped address can have this cause; otherwise nothing is suggested."""
    return cause in _NO_SUCH_ADDRESS | _NO_SUCH_DOMAIN


def find_suggestion(bounce: Bounce, addresses: Iterable[str], domains: Iterable[str]) -> str | None:
    """Return the address that was probably meant, None if no known one is one typing error away.

    `addresses` and `domains` certainly exist, likeliest first. None for an address that is itself known or
    not deliverable.
    """
    if not may_be_mistyped(bounce.cause) or not is_deliverable(bounce.recipient):
        return None
    local, _, domain = bounce.recipient.rpartition("@")
    known = _address_near(local, domain, addresses) if bounce.cause in _NO_SUCH_ADDRESS else None
    near = known or _near(domain.lower(), [name.lower() for name in (*PROVIDERS, *domains)])
    if near is None:
        return None
    meant = near if "@" in near else f"{local}@{near}"
    return meant if is_deliverable(meant) else None


def _address_near(local: str, domain: str, addresses: Iterable[str]) -> str | None:
    """Return the known address of the same domain whose local part is one typing error away."""
    there = [address for address in addresses if domain_of(address) == domain_of(f"x@{domain}")]
    locals_known = [address.rpartition("@")[0].lower() for address in there]
    found = _near(local.lower(), locals_known)
    return there[locals_known.index(found)] if found is not None else None


def _near(name: str, known: list[str]) -> str | None:
    if len(name) < MIN_LENGTH or name in known:
        return None
    return next((other for other in known if OSA.distance(name, other, score_cutoff=1) == 1), None)


def is_stale_entry(bounce: Bounce) -> bool:
    """Tell whether the recipient is an internal entry from Outlook's suggestions."""
    return bounce.recipient_decoded is not None or bounce.recipient.upper().startswith("IMCEA")


def find_entry_name(bounce: Bounce) -> str | None:
    """Return the entry's name as people see it: the last CN of its X.500 name, None for none."""
    last = (bounce.recipient_decoded or "").rpartition("/")[2]
    key, _, name = last.partition("=")
    if key.upper() != "CN":
        return None
    return defang(plain(_NUMBER.sub("", name, count=1), LONGEST_NAME)) or None
