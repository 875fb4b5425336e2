"""What an SMTP reply means for one mail (RFC 5321 section 4.2, RFC 3463), by the step it was given at."""

import re
from enum import StrEnum

from bounce_watch.send.interface import Delivery, Outcome

_MAX_REPLY = 500
_SIGN_IN_CODES = {530, 534, 535, 538}
_TOO_LARGE = 552

# Exchange Online: what only a changed configuration repairs
# (https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online,
# November 2026): no sign-in, no password sign-in, no right to send as the From address, direct send off.
_CONFIGURATION = re.compile(r"\b5\.7\.(?:3|30|57|60|68|139)\b|\b5\.2\.252\b|SendAsDenied", re.ASCII)
_QUOTA = re.compile(r"SubmissionQuotaExceeded|\b5\.1\.90\b", re.ASCII)


class Step(StrEnum):
    """How far the conversation was when the reply came."""

    GREETING = "greeting"
    SIGN_IN = "sign-in"
    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    DATA = "DATA"
    CONTENT = "content"


def judge(step: Step, code: int, text: bytes) -> Delivery:
    """Return what became of the mail after a reply that was not the hoped-for one."""
    words = plain_text(code, text)
    return Delivery(outcome=_outcome(step, code, words), reply=words)


def _outcome(step: Step, code: int, words: str) -> Outcome:
    if not 400 <= code <= 599:
        return Outcome.UNKNOWN if step is Step.CONTENT else Outcome.LATER
    if code < 500 or _QUOTA.search(words):
        return Outcome.LATER
    if step in {Step.GREETING, Step.SIGN_IN} or code in _SIGN_IN_CODES or _CONFIGURATION.search(words):
        return Outcome.STOP
    if step is Step.SENDER and code != _TOO_LARGE:
        # The envelope sender is the same for every mail: the next one would fare no better.
        return Outcome.STOP
    return Outcome.FAILED


def plain_text(code: int, text: bytes) -> str:
    """Return a reply on one line, without control characters, at most 500 characters."""
    words = " ".join(text[: 4 * _MAX_REPLY].decode("utf-8", "replace").split())
    printable = "".join(char if char.isprintable() else "?" for char in words)
    return f"{code} {printable}"[:_MAX_REPLY]
