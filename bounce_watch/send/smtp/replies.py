"""What an SMTP reply means for one message, by the step of the session (RFC 5321 section 4.2, RFC 3463)."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import IO

from bounce_watch.net.refusals import At, Refusal, Then, find_refusal
from bounce_watch.send.interface import Delivery, Outcome

_MAX_REPLY = 500
_MAX_BYTES = 256 * 1024
"""Maximum bytes of one reply; what is longer has no end."""
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ \t-])(.*)|\s*)", re.DOTALL)
_SIGN_IN_CODES = {530, 534, 535, 538}
TOO_LARGE = 552
_CLOSING = 421
_SIZE_CODES = re.compile(r"\b5\.(?:3\.4|2\.3)\b", re.ASCII)
_ABOUT_ALL = re.compile(r"throttl|\brate\b|too many|concurrent|\blimit|\b4\.3\.\d", re.ASCII | re.IGNORECASE)
_GREYLISTED = re.compile(r"gr[ae]y.?list", re.IGNORECASE)
_NO_VALUES: Mapping[str, str] = MappingProxyType({})


def read_reply(file: IO[bytes]) -> tuple[int, bytes]:
    """Return the code and the text of the next reply. Raises OSError where it is cut or has no end.

    Lines that are no reply are passed by; the first is returned, with code -1, if no reply follows.
    """
    texts, strange, room = [], b"", _MAX_BYTES
    try:
        while (line := file.readline(room)).endswith(b"\n"):
            room -= len(line)
            if (found := _LINE.fullmatch(line)) is None:
                strange = strange or line
                continue
            texts.append((found[3] or b"").strip())
            if found[2] != b"-":
                return int(found[1]), b"\n".join(texts)
    except OSError:
        if not strange:
            raise
    if strange:
        return -1, strange.strip()
    raise ConnectionAbortedError("the reply has no end" if line else "the server hung up")


class Step(StrEnum):
    """The step of the session at which the reply came."""

    GREETING = "greeting"
    SIGN_IN = "sign-in"
    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    DATA = "DATA"
    CONTENT = "content"


def judge(
    step: Step, code: int, text: bytes, *, auth: str = "", values: Mapping[str, str] = _NO_VALUES
) -> Delivery:
    """Return what an unexpected reply means for the message.

    `auth` is our kind of sign-in; `values` fill the names in the commands that fix it.
    """
    words = plain_text(code, text)
    known = find_refusal(At.SMTP, words, auth)
    outcome = _outcome(step, code, known)
    if _SIZE_CODES.search(words) and outcome is Outcome.STOP and known is None:
        outcome = Outcome.FAILED
    if known is None:
        return Delivery(outcome=outcome, reply=words, is_about_one=_is_about_one(step, code, words))
    reply = f"{known.says} (the server: {words})" if outcome is Outcome.STOP else words
    commands = known.filled(values) if outcome is Outcome.STOP else ()
    return Delivery(outcome=outcome, reply=reply[:_MAX_REPLY], repair=known.repair, commands=commands)


def _is_about_one(step: Step, code: int, words: str) -> bool:
    """Tell whether a temporary refusal is about this recipient only, as greylisting is."""
    if code == _CLOSING or _ABOUT_ALL.search(words):
        return False
    return step is Step.RECIPIENT or _GREYLISTED.search(words) is not None


def _outcome(step: Step, code: int, known: Refusal | None) -> Outcome:
    if not 400 <= code <= 599:
        return Outcome.UNKNOWN if step is Step.CONTENT else Outcome.LATER
    if code < 500 or (known and known.then is Then.WAIT):
        return Outcome.LATER
    if known or step in {Step.GREETING, Step.SIGN_IN} or code in _SIGN_IN_CODES:
        # Only an admin can fix these: no sign-in, no permission to send, a blocked account.
        return Outcome.STOP
    if step is Step.SENDER and code != TOO_LARGE:
        # The envelope sender is the same for every message, so the next one would be refused too.
        return Outcome.STOP
    return Outcome.FAILED


def plain_text(code: int, text: bytes) -> str:
    """Return a reply on one line, without control characters, at most 500 characters."""
    words = " ".join(text[: 4 * _MAX_REPLY].decode("utf-8", "replace").split())
    printable = "".join(char if char.isprintable() else "?" for char in words)
    return f"{code} {printable}"[:_MAX_REPLY]
