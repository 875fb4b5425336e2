"""Wait for new mail over IMAP: by IDLE (RFC 2177), or by asking from time to time.

IDLE runs on imaplib itself: imapclient's idle() stops at updates that precede the server's `+ idling`, its
idle_check() misses updates sent together with that line and takes a dead connection for a quiet one.
"""

import imaplib
import select
import ssl
import time
from collections.abc import Callable

from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.errors import CommandRejected
from bounce_watch.source.local.base import STEP_SECONDS, steps

CHUNK_SECONDS = 240.0
"""Longest IDLE: only its end shows that the server lives, and firewalls drop quiet connections."""

_ASK_SECONDS = 15.0


def idle(connection: Connection, seconds: float, stop: Callable[[], bool]) -> bool:
    """Idle until the server sends anything, the time is over or `stop`; tell whether it announced mail.

    Raises Unreachable for a dead connection, CommandRejected if the server rejects IDLE.
    """
    found: bool = connection.perform(_idle, connection.protocol, seconds, stop)
    return found


def forget_updates(imap: imaplib.IMAP4) -> None:
    """Forget what the server has said about the number of messages."""
    imap.untagged_responses.pop("EXISTS", None)


def has_updates(imap: imaplib.IMAP4) -> bool:
    """Tell whether the server has said since that the number of messages changed."""
    return "EXISTS" in imap.untagged_responses


def _idle(imap: imaplib.IMAP4, seconds: float, stop: Callable[[], bool]) -> bool:
    forget_updates(imap)
    tag = imap._command("IDLE")
    while imap._get_response() is not None:
        if imap.tagged_commands[tag]:
            break
    else:
        if not has_updates(imap):
            _listen(imap, seconds, stop)
        imap.send(b"DONE\r\n")
    status, data = imap._get_tagged_response(tag)
    if status != "OK":
        raise imap.error(f"IDLE: {data[0]!r}")
    return has_updates(imap)


def _listen(imap: imaplib.IMAP4, seconds: float, stop: Callable[[], bool]) -> None:
    if _has_unread(imap):
        return
    poller = select.poll()
    poller.register(imap.sock, select.POLLIN)
    for step in steps(seconds, stop):
        if poller.poll(step * 1000):
            return


def _has_unread(imap: imaplib.IMAP4) -> bool:
    """Tell whether data is already buffered here, where the poller does not see it."""
    buffer = vars(imap).get("_file") or vars(imap).get("file")
    timeout = imap.sock.gettimeout()
    imap.sock.settimeout(0)
    try:
        return bool(buffer.peek(1)) if buffer is not None else False
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    finally:
        imap.sock.settimeout(timeout)


def wait_for_mail(connection: Connection, uid_next: int, seconds: float, stop: Callable[[], bool]) -> bool:
    """Wait until messages with UIDs from `uid_next` on may be there; return False after the time or `stop`.

    Raises Unreachable for a dead connection.
    """
    end = time.monotonic() + seconds
    # IDLE does not announce what came before it.
    if _has_new(connection, uid_next):
        return True
    may_idle = "IDLE" in connection.capabilities
    while may_idle and (left := end - time.monotonic()) > 0 and not stop():
        try:
            if idle(connection, min(left, CHUNK_SECONDS), stop):
                return True
        except CommandRejected:
            may_idle = False
    return _poll(connection, uid_next, end - time.monotonic(), stop)


def _has_new(connection: Connection, uid_next: int) -> bool:
    """Ask for newer UIDs; an update that comes along counts too, because it is sent only once."""
    forget_updates(connection.protocol)
    try:
        # An asterisk always means the last message, even if its UID is lower.
        found = connection.fetch(f"{uid_next}:*", "(UID)")
    except CommandRejected:
        found = {}
    return any(uid >= uid_next for uid in found) or has_updates(connection.protocol)


def _poll(connection: Connection, uid_next: int, seconds: float, stop: Callable[[], bool]) -> bool:
    pause = max(STEP_SECONDS, min(_ASK_SECONDS, seconds / 4))
    asked = time.monotonic()
    for step in steps(seconds, stop):
        time.sleep(step)
        if time.monotonic() - asked >= pause:
            if _has_new(connection, uid_next):
                return True
            asked = time.monotonic()
    return False
