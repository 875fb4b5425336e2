"""A message that refers to one of ours: what it quotes is no report, and it may be a person's reply.

All of it is a claim of its headers and text; nothing here is proved.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from bounce_watch.model import Answer, Kind, NotAReport, Reading, Report, Unreadable
from bounce_watch.parse.original import automatic_fields, message_id_of
from bounce_watch.unwrap import FoundReport, Headers, Part
from bounce_watch.unwrap.automatic import is_automatic_reply
from bounce_watch.unwrap.own_words import own_words
from bounce_watch.unwrap.provenance import is_written_by_a_mail_system, provenance_of

_MARK = re.compile(r"<(bw\.[0-9a-f]{16}\.[0-9a-f]{24})@[^<>\s]{1,255}>", re.IGNORECASE)
_MARK_IN_TEXT = re.compile(r"Reference: {0,4}bw\.[0-9a-f]{16}\.[0-9a-f]{24}(?![0-9a-f])")
_BY_MACHINE = ("x-ms-exchange-inbox-rules-loop", "x-ms-exchange-message-is-ndr", "x-failed-recipients")
_MACHINES_PARTS = frozenset({"text/calendar", "message/delivery-status", "message/disposition-notification"})


def with_answer(message: Part, readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """Return the readings of a message, with the reply that it may be added to the first.

    A report pasted into a message that refers to ours is left out: it is our own letter, quoted. A mark in
    the text alone is no reply: robots that open tickets quote all that they get.
    """
    found = FoundReport(message=message, headers=message.headers)
    mark = next(_answered(message.headers), None)
    if is_written_by_a_mail_system(message.headers) or not (mark or _MARK_IN_TEXT.search(found.text)):
        return readings
    kept = [one for one in readings if not (isinstance(one, Report) and "inline" in one.envelopes)]
    if not kept:
        kept = [NotAReport(kind=Kind.NOT_A_REPORT, reason="it quotes a message of ours")]
    if mark and not isinstance(kept[0], Unreadable) and not _is_by_machine(message):
        kept[0] = replace(kept[0], answer=_answer(found, mark))
    return tuple(kept)


def _answered(headers: Headers) -> Iterator[str]:
    """Yield our IDs that a message answers, the nearest first; References ends with it.

    Providers rewrite Message-IDs, but our References hold the ID too, and a reply repeats them.
    """
    yield from _MARK.findall((headers.first("in-reply-to") or "")[-2000:])
    yield from reversed(_MARK.findall((headers.first("references") or "")[-8000:]))


def _answer(found: FoundReport, mark: str) -> Answer:
    headers = found.headers
    return Answer(
        mark=mark.lower(),
        message_id=message_id_of(headers, "message-id"),
        provenance=provenance_of(headers),
        words=own_words(found.text),
    )


def _is_by_machine(message: Part) -> bool:
    headers: Headers = message.headers
    return (
        is_automatic_reply(headers)
        or bool(automatic_fields(headers) or headers.among(_BY_MACHINE))
        or (headers.first("return-path") or "").strip() == "<>"
        or message.content_type == "multipart/report"
        or any(part.content_type in _MACHINES_PARTS for part in message.leaves())
    )
