"""Addresses that take no mail any more, judged from what other mail systems said about them.

Own-side, policy and reputation causes never count, nor do codes that give no reason: they say nothing about
the address. A later sign of life clears it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bounce_watch.model.address import domain_of, is_deliverable
from bounce_watch.model.vocabulary import Cause, Certainty, Owner, Persistence, Side


class Verdict(StrEnum):
    """Why an address takes no mail. `full`: the mailbox has been full for long."""

    GONE = "gone"
    DOMAIN_GONE = "domain_gone"
    CLOSED = "closed"
    FULL = "full"
    MOVED = "moved"


VERDICTS: Mapping[Cause, Verdict] = {
    Cause.RECIPIENT_UNKNOWN: Verdict.GONE,
    Cause.DOMAIN_NOT_FOUND: Verdict.DOMAIN_GONE,
    Cause.DOMAIN_ACCEPTS_NO_MAIL: Verdict.DOMAIN_GONE,
    Cause.MAILBOX_DISABLED: Verdict.CLOSED,
    Cause.MAILBOX_FULL: Verdict.FULL,
    Cause.RECIPIENT_MOVED: Verdict.MOVED,
}
"""The causes that say something about the address itself."""

APART = timedelta(days=1)
"""Time between the first and the last bounce of a sure verdict: a fault of a server passes in a day."""

FULL_FOR_LONG, FULL_FOR_SURE = timedelta(days=14), timedelta(days=45)
FULL_MESSAGES = 3
_OURS_TO_FIX = (Owner.MAIL_ADMIN, Owner.SECURITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Failed messages of one sender to one recipient with the same cause. `newest` is a bounce's number."""

    recipient: str
    sender: str | None
    cause: Cause
    certainty: Certainty | None
    persistence: Persistence
    side: Side | None
    owner: Owner
    messages: int
    first_at: datetime
    last_at: datetime
    newest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadAddress:
    """An address with its verdict; `senders` are ours who still write there, the newest first.

    `newest` is the number of the bounce that proves it; `cause` is that of this bounce.
    """

    address: str
    verdict: Verdict
    cause: Cause
    is_sure: bool
    messages: int
    first_at: datetime
    last_at: datetime
    senders: tuple[str, ...]
    newest: int


def find_dead(signs: Iterable[Sign], domains_alive: Mapping[str, datetime]) -> list[DeadAddress]:
    """Return the dead addresses, those with the most messages first.

    `signs` are those after the last sign of life of their address. `domains_alive` says when a server of a
    domain last answered, by domain: a domain is not gone before that.
    """
    by_address: dict[str, list[Sign]] = {}
    for sign in signs:
        if _counts(sign):
            by_address.setdefault(sign.recipient.lower(), []).append(sign)
    found = (_judge(address, those, domains_alive) for address, those in by_address.items())
    return sorted(filter(None, found), key=lambda one: (-one.messages, one.address))


def _counts(sign: Sign) -> bool:
    """Tell whether a sign is about the address, and not about us, a policy, or a code without a reason."""
    verdict = VERDICTS.get(sign.cause)
    if verdict is None or not is_deliverable(sign.recipient) or sign.owner in _OURS_TO_FIX:
        return False
    if sign.certainty is None or sign.certainty is Certainty.NOT_TOLD:
        return False
    if verdict is Verdict.FULL:
        return sign.side is not Side.OURS
    # That a domain does not exist is what our own Exchange finds out.
    is_about_them = sign.side is not Side.OURS or verdict is Verdict.DOMAIN_GONE
    return is_about_them and sign.persistence is Persistence.PERMANENT


def _judge(address: str, signs: list[Sign], domains_alive: Mapping[str, datetime]) -> DeadAddress | None:
    """Go by the newest sign: what was said before it may have changed."""
    newest = max(signs, key=lambda sign: (sign.last_at, sign.newest))
    verdict = VERDICTS[newest.cause]
    same = [sign for sign in signs if VERDICTS[sign.cause] is verdict]
    if verdict is Verdict.DOMAIN_GONE:
        answered = domains_alive.get(domain_of(address) or "")
        same = [sign for sign in same if answered is None or sign.last_at > answered]
        if not same:
            return None
    first_at, messages = min(sign.first_at for sign in same), sum(sign.messages for sign in same)
    span = newest.last_at - first_at
    if verdict is Verdict.FULL and (span < FULL_FOR_LONG or messages < FULL_MESSAGES):
        return None
    needed = FULL_FOR_SURE if verdict is Verdict.FULL else APART
    is_told = all(sign.certainty is Certainty.TOLD and sign.side is not None for sign in same)
    latest = sorted(same, key=lambda sign: sign.last_at, reverse=True)
    return DeadAddress(
        address=address,
        verdict=verdict,
        cause=newest.cause,
        is_sure=is_told and messages > 1 and span >= needed,
        messages=messages,
        first_at=first_at,
        last_at=newest.last_at,
        senders=tuple(dict.fromkeys(sign.sender for sign in latest if sign.sender)),
        newest=newest.newest,
    )
