"""IDLE (RFC 2177) on the protocol engine itself.

imapclient's idle() stops at news that comes before the server's `+ idling`, its idle_check() overlooks what
is glued to that line and takes a dead connection for a quiet one. Here every sign of life ends the IDLE,
and its end tells whether the connection lives.


Wait for new mail over IMAP: IDLE is a hint; servers without it are asked now and then."""

import imaplib
import select
import ssl
import time
from collections.abc import Callable

from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.errors import CommandRejected
from bounce_watch.source.local.polling import STEP_SECONDS, steps


def idle(connection: Connection, seconds: float, stop: Callable[[], bool]) -> bool:
    """Idle until the server says anything, the time is over or `stop`; tell whether it told of new mail.

    Raises Unreachable for a dead connection, Declined when the server wants no IDLE.
    """
    found: bool = connection.perform(_idle, connection.protocol, seconds, stop)
    return found


def forget_news(imap: imaplib.IMAP4) -> None:
    """Forget what the server said by the way about the number of messages."""
    imap.untagged_responses.pop("EXISTS", None)


def has_news(imap: imaplib.IMAP4) -> bool:
    """Tell whether the server said since then that the number of messages changed."""
    return "EXISTS" in imap.untagged_responses


def _idle(imap: imaplib.IMAP4, seconds: float, stop: Callable[[], bool]) -> bool:
    forget_news(imap)
    tag = imap._command("IDLE")
    while imap._get_response() is not None:
        if imap.tagged_commands[tag]:
            break
    else:
        if not has_news(imap):
            _listen(imap, seconds, stop)
        imap.send(b"DONE\r\n")
    status, data = imap._get_tagged_response(tag)
    if status != "OK":
        raise imap.error(f"IDLE: {data[0]!r}")
    return has_news(imap)


def _listen(imap: imaplib.IMAP4, seconds: float, stop: Callable[[], bool]) -> None:
    if _has_unread(imap):
        return
    poller = select.poll()
    poller.register(imap.sock, select.POLLIN)
    for step in steps(seconds, stop):
        if poller.poll(step * 1000):
            return


def _has_unread(imap: imaplib.IMAP4) -> bool:
    """Tell whether more has arrived than was asked for: the poller does not see what is buffered here."""
    buffer = vars(imap).get("_file") or vars(imap).get("file")
    timeout = imap.sock.gettimeout()
    imap.sock.settimeout(0)
    try:
        return bool(buffer.peek(1)) if buffer is not None else False
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    finally:
        imap.sock.settimeout(timeout)


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
        except CommandRejected:
            may_idle = False
    return _ask_now_and_then(connection, uid_next, end - time.monotonic(), stop)


def _has_new(connection: Connection, uid_next: int) -> bool:
    """Ask for newer UIDs; news that the server adds counts too, for it says so only once."""
    forget_news(connection.protocol)
    try:
        # An asterisk always means the last message, even when its UID is lower.
        found = connection.fetch(f"{uid_next}:*", "(UID)")
    except CommandRejected:
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
