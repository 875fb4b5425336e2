"""One report as found inside its envelopes, with the parts that several formats need."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bounce_watch.model import Provenance
from bounce_watch.unwrap.mime.headers import Headers, read_headers
from bounce_watch.unwrap.mime.limits import MAX_HEADER_BLOCK, MAX_TEXT
from bounce_watch.unwrap.mime.tree import Part

DELIVERY_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_UNTYPED = frozenset({"text/plain", "application/octet-stream", "text/rfc822"})
_FIELD = re.compile(rb"[a-z][a-z0-9-]{1,60}:")
_MAIL_FIELDS = (b"from:", b"to:", b"subject:", b"date:", b"message-id:", b"received:", b"return-path:")
MAX_START = 8192
RETURNED_HEADERS = frozenset({"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"})


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundReport:
    """A message that may be a report. `envelopes` names its envelopes, outermost first.

    `message` is the report's own root part. If the report was pasted into a forward, `inline` is its text
    and `message` is the forward. `recipients` are those of the journal's envelope.
    """

    message: Part
    inline: str | None = None
    headers: Headers
    envelopes: tuple[str, ...] = ()
    forwarded_by: str | None = None
    recipients: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()

    @cached_property
    def leaves(self) -> tuple[Part, ...]:
        return tuple(self.message.leaves())

    def leaf(self, *content_types: str) -> Part | None:
        """Return the first part of one of these types."""
        if self.inline is not None:
            return None
        return next((part for part in self.leaves if part.content_type in content_types), None)

    @cached_property
    def delivery_statuses(self) -> tuple[Part, ...]:
        """The delivery status parts; some systems write two, of which one is prose."""
        if self.inline is not None:
            return ()
        return tuple(part for part in self.leaves if part.content_type in DELIVERY_STATUS)

    @property
    def delivery_status(self) -> Part | None:
        return next(iter(self.delivery_statuses), None)

    @cached_property
    def returned(self) -> Part | None:
        """The part that holds the returned message or its headers."""
        declared = self.leaf("message/rfc822", "message/global", "message/partial", *RETURNED_HEADERS)
        if declared or self.inline is not None:
            return declared
        return next((part for part in self.leaves[1:] if _holds_headers(part)), None)

    @cached_property
    def returned_headers(self) -> Headers | None:
        """The headers of the message that the report returns in a part of its own."""
        part = self.returned
        if part is None:
            return None
        if part.is_embedded_message and part.children[0].headers:
            return part.children[0].headers
        return read_headers(part.content[:MAX_HEADER_BLOCK].lstrip(b"\r\n \t"))[0] or None

    @cached_property
    def text(self) -> str:
        """The report's own words: its text parts before the returned message, else its HTML parts."""
        if self.inline is not None:
            return self.inline
        return _joined(self._own_texts("text/plain")) or _joined(self._own_texts("text/html"))

    @cached_property
    def html_text(self) -> str:
        return "" if self.inline is not None else _joined(self._own_texts("text/html"))

    def _own_texts(self, content_type: str) -> Iterator[str]:
        for part in self.leaves:
            if part is self.returned or part.disposition == "attachment":
                return
            childless = part.content_type.startswith("multipart/") and content_type == "text/plain"
            if part.content_type == content_type or childless:
                yield part.text


def _holds_headers(part: Part) -> bool:
    """Tell whether a part of no telling type begins with the header of a mail."""
    if part.content_type not in _UNTYPED:
        return False
    start = part.content[:MAX_START].lstrip(b"\r\n \t").lower()
    return _FIELD.match(start) is not None and sum(b"\n" + name in b"\n" + start for name in _MAIL_FIELDS) > 2


def _joined(texts: Iterator[str]) -> str:
    return "\n".join(text for text in texts if text.strip())[:MAX_TEXT]
