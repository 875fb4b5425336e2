"""Wait for new mail over IMAP: IDLE is a hint; servers without it are asked now and then."""

import time
from collections.abc import Callable

from bounce_watch.source.imap_connection import Connection
from bounce_watch.source.imap_faults import Declined
from bounce_watch.source.imap_idle import forget_news, has_news, idle
from bounce_watch.source.waiting import STEP_SECONDS, steps

CHUNK_SECONDS = 240.0
"""The longest IDLE: its end alone shows that the server lives, and firewalls forget quiet connections."""

_ASK_SECONDS = 15.0


def wait_for_mail(connection: Connection, uid_next: int, seconds: float, stop: Callable[[], bool]) -> bool:
    """Tell whether mail with UIDs from `uid_next` on may be there before the time is over or `stop`.

    Raises Unreachable for a connection that is found dead.
    """
    end = time.monotonic() + seconds
    # What came since the folder was looked at is told by no IDLE.
    if _has_new(connection, uid_next):
        return True
    may_idle = "IDLE" in connection.capabilities
    while may_idle and (left := end - time.monotonic()) > 0 and not stop():
        try:
            if idle(connection, min(left, CHUNK_SECONDS), stop):
                return True
        except Declined:
            may_idle = False
    return _ask_now_and_then(connection, uid_next, end - time.monotonic(), stop)


def _has_new(connection: Connection, uid_next: int) -> bool:
    """Ask for newer UIDs; news that the server adds counts too, for it says so only once."""
    forget_news(connection.protocol)
    try:
        # An asterisk always means the last message, even when its UID is lower.
        found = connection.fetch(f"{uid_next}:*", "(UID)")
    except Declined:
        found = {}
    return any(uid >= uid_next for uid in found) or has_news(connection.protocol)


def _ask_now_and_then(
    connection: Connection, uid_next: int, seconds: float, stop: Callable[[], bool]
) -> bool:
    pause = max(STEP_SECONDS, min(_ASK_SECONDS, seconds / 4))
    asked = time.monotonic()
    for step in steps(seconds, stop):
        time.sleep(step)
        if time.monotonic() - asked >= pause:
            if _has_new(connection, uid_next):
                return True
            asked = time.monotonic()
    return False
