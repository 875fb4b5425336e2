"""Whether the same mail could still succeed (RFC 3464 section 2.3.3, RFC 3463 section 2)."""

from bounce_watch.model import Action, Persistence

_CLASSES = {"4": Persistence.TEMPORARY, "5": Persistence.PERMANENT}


def persistence_of(action: Action | None, reply_code: str | None, status: str | None) -> Persistence:
    """Return the persistence of one recipient's fate; unknown rather than a guess.

    Action decides, then the basic reply code, then the class of the status. A 4.x.x with
    `Action: failed` is final: `550 4.4.7 QUEUE.Expired` means that the server gave up.
    """
    match action:
        case Action.FAILED:
            return Persistence.PERMANENT
        case Action.DELAYED:
            return Persistence.TEMPORARY
        case Action.DELIVERED | Action.RELAYED | Action.EXPANDED:
            return Persistence.UNKNOWN
        case None:
            code = reply_code or status or ""
            return _CLASSES.get(code[:1], Persistence.UNKNOWN)
