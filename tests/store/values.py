"""Our own sample values for the store's tests."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from bounce_watch.model import (
    Action,
    Bounce,
    Cause,
    Evidence,
    Kind,
    Letter,
    LetterKind,
    OriginalMessage,
    Owner,
    Persistence,
    Report,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

BOUNCE = Bounce(
    recipient="No.Body@partner.example",
    sender="anna@contoso.example",
    action=Action.FAILED,
    status="5.1.1",
    reply_code="550",
    cause=Cause.RECIPIENT_UNKNOWN,
    persistence=Persistence.PERMANENT,
    owner=Owner.SENDER,
    side=None,
    evidence=Evidence.INTERNAL,
    diagnostic_code="550 5.1.1 no such user here",
    occurred_at=NOW,
)

REPORT = Report(
    kind=Kind.FAILURE,
    format="rfc3464",
    envelopes=("journal",),
    language="en",
    message_id="<report-1@contoso.example>",
    date=NOW,
    reporting_mta="mx.contoso.example",
    original=OriginalMessage(
        message_id="<mail-1@contoso.example>", sender="anna@contoso.example", subject="Offer 50%_off"
    ),
    fingerprint="fingerprint-1",
)

LETTER = Letter(
    kind=LetterKind.REPLY,
    event_key="reply-1",
    to="anna@contoso.example",
    subject="Your mail was not delivered",
    text="Check the address.",
    html="<p>Check the address.</p>",
)


def place(uid: str = "1", mailbox: str = "imap:bounces/INBOX", validity: int = 7) -> dict[str, Any]:
    """Return where a message lies, as keywords."""
    return {"mailbox": mailbox, "validity": validity, "uid": uid}


def body(now: datetime = NOW) -> dict[str, Any]:
    """Return what is stored of a message, as keywords."""
    digest = sha256(b"raw").hexdigest()
    return {"sha256": digest, "size": 3, "received_at": now, "now": now, "kind": Kind.FAILURE}
