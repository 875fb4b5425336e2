"""A person's reply to one of our messages, as its headers and text claim; nothing here is proved."""

import re
from collections.abc import Iterator

from bounce_watch.model import Answer
from bounce_watch.parse.original import automatic_fields, message_id_of
from bounce_watch.unwrap import FoundReport, Headers, Part
from bounce_watch.unwrap.automatic import is_automatic_reply
from bounce_watch.unwrap.own_words import own_words
from bounce_watch.unwrap.provenance import is_written_by_a_mail_system, provenance_of

_MARK = re.compile(r"<bw\.[0-9a-f]{16}\.[0-9a-f]{24}@[^<>\s]{1,255}>", re.IGNORECASE)
_MARK_IN_TEXT = re.compile(r"Reference: {0,4}(bw\.[0-9a-f]{16}\.[0-9a-f]{24})(?![0-9a-f])")
_BY_MACHINE = ("x-ms-exchange-inbox-rules-loop", "x-ms-exchange-message-is-ndr", "x-failed-recipients")
_MACHINES_PARTS = frozenset({"text/calendar", "message/delivery-status", "message/disposition-notification"})


def read_answer(message: Part) -> Answer | None:
    """Return the reply that a message seems to be, None if it holds no mark of ours or a program wrote it.

    The mark of the message that it answers is in In-Reply-To, else the last one in References, else in the
    quoted text, because providers rewrite Message-IDs and some programs drop References.
    """
    headers = message.headers
    if _is_by_machine(message):
        return None
    found = FoundReport(message=message, headers=headers)
    mark = next(_marks(headers, found), None)
    if mark is None:
        return None
    return Answer(
        mark=mark.strip("<").partition("@")[0].lower(),
        message_id=message_id_of(headers, "message-id"),
        provenance=provenance_of(headers),
        words=own_words(found.text),
    )


def _marks(headers: Headers, found: FoundReport) -> Iterator[str]:
    yield from _MARK.findall((headers.first("in-reply-to") or "")[-2000:])
    yield from reversed(_MARK.findall((headers.first("references") or "")[-8000:]))
    yield from _MARK_IN_TEXT.findall(found.text) if "bw." in found.text else ()


def _is_by_machine(message: Part) -> bool:
    headers = message.headers
    return (
        is_written_by_a_mail_system(headers)
        or is_automatic_reply(headers)
        or bool(automatic_fields(headers) or headers.among(_BY_MACHINE))
        or (headers.first("return-path") or "").strip() == "<>"
        or message.content_type == "multipart/report"
        or any(part.content_type in _MACHINES_PARTS for part in message.leaves())
    )
