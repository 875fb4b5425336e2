"""Turn IMAP faults into a SourceError that tells the admin how to fix it and never holds a secret."""

import imaplib
import re
import ssl

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.net.refusals import At, Refusal, Then, find_refusal, values_of
from bounce_watch.net.tls import connection_fault
from bounce_watch.source.interface import MissingFolder, Refused, SessionEnded, SourceError, Unreachable

LOST = (imaplib.IMAP4.error, OSError, MemoryError, ValueError, AttributeError, TypeError)
"""What imapclient 4.1 raises against failing and hostile servers, as observed."""

_PAUSE = re.compile(
    r"\b(?:backoff time|again|retry|wait)[^0-9]{0,20}"
    r"([0-9]{1,9}) ?(milliseconds?|ms|seconds?|secs?|s|minutes?|min)\b",
    re.ASCII | re.IGNORECASE,
)
"""How long to wait: `Suggested Backoff Time: 4000 milliseconds`, `try again in 2 minutes`."""
_SECONDS = {"mil": 0.001, "ms": 0.001, "min": 60.0}
_BUSY = (
    "throttl",
    "rate limit",
    "[unavailable]",
    "[inuse]",
    "[limit]",
    "too many simultaneous",
    "try again later",
)
_NOT_NOW = (
    *("temporar", "too many", "number of connections", "internal error", "[serverbug]", "maintenance"),
    *("unavailable", "overload", "timed out", "timeout"),
)
"""Texts of a sign-in or a folder that was refused for a reason that passes, whatever its code."""
_ENDED = ("session invalidated", "accesstokenexpired")
_QUOTED = re.compile(r"^b(['\"])(.*)\1$", re.DOTALL)
"""How imapclient shows the words of the server."""
_MAX_TEXT = 200

AGAIN = "nothing was lost; we try again by ourselves"
_TOKEN_REFUSED = "authenticate failed"  # noqa: S105 - as Exchange says it


class CommandRejected(Unreachable):
    """The server answered a command with NO or BAD for an unknown reason; `answer` is its text."""

    def __init__(self, answer: str) -> None:
        super().__init__(f"the server declined: {answer}", f"look at the server's own words; {AGAIN}")
        self.answer = answer


class Busy(Unreachable):
    """The server is throttling, overloaded or full: connecting again at once is no help."""


def connecting(error: Exception, settings: ImapSettings) -> SourceError:
    """Explain why connecting failed."""
    if isinstance(error, SourceError):
        return error
    if (known := _known_words(error, settings)) is not None:
        return known
    text, repair = connection_fault(
        error,
        settings,
        wrong_tls='use security = "tls" with port 993 and "starttls" with port 143',
        too_slow='check host, port and the firewall; port 993 wants security = "tls", 143 "starttls"',
    ) or (f"no connection to {settings.host}:{settings.port}: {plain_text(_words(error))}", AGAIN)
    return (Refused if isinstance(error, ssl.SSLCertVerificationError) else Unreachable)(text, repair)


def signing_in(error: Exception, settings: ImapSettings, secret: str) -> SourceError:
    """Explain why the sign-in failed, without the secret in case the server repeated it."""
    # imapclient turns every fault of its sign-in, even a lost connection, into a LoginError.
    original = error.__context__ if isinstance(error.__context__, LOST) else error
    text = plain_text(_words(error).replace(secret or "\0", "***"))
    if isinstance(original, UnicodeError):
        return Refused(
            "the password holds characters outside ASCII and the server offers no way to send them",
            "choose another password",
        )
    if _has_ended(original) and not _is_answer(original):
        return SessionEnded(f"the server ended the session during the sign-in: {text}", AGAIN)
    if isinstance(original, imaplib.IMAP4.error) and (
        known := _well_known(text, settings) or _not_now(text, original)
    ):
        return known
    if not _is_answer(original):
        return Unreachable(f"the connection was lost during the sign-in: {text}", AGAIN)
    if settings.auth == "xoauth2" and (row := find_refusal(At.IMAP, _TOKEN_REFUSED, "xoauth2")):
        return _explained(row, text, settings)
    return Refused(
        f"the server refuses user name or password of {settings.user}: {text}",
        'check user and password; Exchange Online takes no passwords, there use auth = "xoauth2"',
    )


def _not_now(text: str, error: BaseException) -> Busy | None:
    """Explain a sign-in that the server declined for a reason that passes."""
    if _is_answer(error) and any(word in text.lower() for word in _NOT_NOW):
        return Busy(f"the server cannot sign us in now: {text}", AGAIN)
    return None


def opening(error: Exception, folder: str, settings: ImapSettings) -> SourceError:
    """Explain why a folder could not be opened."""
    fault = talking(error, settings)
    if not isinstance(fault, CommandRejected) or any(
        word in fault.answer.lower() for word in (*_NOT_NOW, "is locked")
    ):
        return fault
    return MissingFolder(f"the folder {folder} cannot be opened: {fault.answer}", "check its name")


def read_only(folder: str) -> Refused:
    """Explain why nothing is moved out of a folder."""
    return Refused(
        f"the folder {folder} may only be read", "give the account the right to move mail out of it"
    )


def talking(error: Exception, settings: ImapSettings) -> SourceError:
    """Explain why a command failed: CommandRejected if the server said so, else a lost connection."""
    if isinstance(error, SourceError):
        return error
    text = plain_text(_words(error))
    if _has_ended(error):
        return SessionEnded(f"the server ended the session: {text}", AGAIN)
    if (known := _known_words(error, settings)) is not None:
        return known
    if not _is_answer(error):
        return Unreachable(f"the connection was lost ({type(error).__name__}: {text})", AGAIN)
    return CommandRejected(text)


def _is_answer(error: BaseException) -> bool:
    is_answer = isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort)
    # imaplib raises a kind of lost connection where only a right to write is gone.
    return is_answer or isinstance(error, imaplib.IMAP4.readonly)


def _has_ended(error: BaseException) -> bool:
    """Tell whether the server ended the session, with BYE or in its response to a command."""
    return isinstance(error, imaplib.IMAP4.error) and any(word in str(error).lower() for word in _ENDED)


def _known_words(error: Exception, settings: ImapSettings) -> SourceError | None:
    """Look up the words of the server, in an answer as well as in its BYE."""
    is_said = isinstance(error, imaplib.IMAP4.error)
    return _well_known(plain_text(_words(error)), settings) if is_said else None


def _well_known(text: str, settings: ImapSettings) -> SourceError | None:
    lowered = text.lower()
    if asked := _PAUSE.search(text):
        seconds = int(asked[1]) * _SECONDS.get(asked[2][:3].lower(), 1.0)
        text = f"the server is busy and asks to wait {seconds:.0f} seconds: {text}"
        return Busy(text, AGAIN, retry_after=seconds)
    if row := find_refusal(At.IMAP, text, settings.auth):
        return _explained(row, text, settings)
    if any(word in lowered for word in _BUSY):
        return Busy(f"the server is busy: {text}", AGAIN)
    if "[noperm]" in lowered:
        return Refused(f"the account lacks a right: {text}", "let it read the mailbox and move mail in it")
    if "[overquota]" in lowered:
        return Busy(f"the mailbox is full: {text}", "make room in it")
    return None


def _explained(row: Refusal, text: str, settings: ImapSettings) -> SourceError:
    """Return the fault for a known refusal, with the account, the repair and the commands."""
    kind = Busy if row.then is Then.WAIT else Refused
    sentence = f"{row.says} (account {settings.user}; the server: {text})"
    return kind(sentence, row.repair, row.filled(values_of(settings)))


def _words(error: BaseException) -> str:
    """Return the words of the server; imaplib raises them as bytes."""
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)
    return _QUOTED.sub(r"\2", text)


def plain_text(text: str) -> str:
    """Return a server's response on one line, without control characters, at most 200 characters."""
    return "".join(char if char.isprintable() else "?" for char in text[:_MAX_TEXT])


def checked(argument: str) -> str:
    """Return an argument that cannot end the command line (mjs/imapclient#657). Raises Refused."""
    if any(char in argument for char in "\r\n\0"):
        raise Refused("a name or password holds a line break", "take the line break out of the configuration")
    return argument
