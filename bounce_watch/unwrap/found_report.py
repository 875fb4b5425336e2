"""One report as found inside its envelopes, and the views of it that the formats share."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bounce_watch.model import Provenance
from bounce_watch.unwrap.fast_patterns import lazy
from bounce_watch.unwrap.mime.headers import Headers
from bounce_watch.unwrap.mime.limits import MAX_TEXT
from bounce_watch.unwrap.mime.tree import Part

DELIVERY_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
RETURNED_HEADERS = frozenset({"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"})


@dataclass(frozen=True, kw_only=True)
class FoundReport:
    """A message that may be a report. `envelopes`, outermost first, name what it came in.

    `message` is the report's own root part. When the report was pasted into a forward, `inline` is its
    text and `message` is the mail that carries it. `recipients` are those of the journal's envelope.
    """

    message: Part
    inline: str | None = None
    headers: Headers
    envelopes: tuple[str, ...] = ()
    forwarded_by: str | None = None
    recipients: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    found: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What a reader worked out once and others need again, by the reader's own name."""

    @lazy
    def leaves(self) -> tuple[Part, ...]:
        return tuple(self.message.leaves())

    def leaf(self, *content_types: str) -> Part | None:
        """Return the first part of one of these types, None when there is none."""
        if self.inline is not None:
            return None
        return next((part for part in self.leaves if part.content_type in content_types), None)

    @lazy
    def delivery_status(self) -> Part | None:
        return self.leaf(*DELIVERY_STATUS)

    @lazy
    def returned(self) -> Part | None:
        """Return the part that holds the returned mail or its headers, None when there is none."""
        return self.leaf("message/rfc822", "message/global", "message/partial", *RETURNED_HEADERS)

    @lazy
    def text(self) -> str:
        """The report's own words: its text parts up to the returned mail, HTML only where no text is."""
        if self.inline is not None:
            return self.inline
        return _joined(self._own_texts("text/plain")) or _joined(self._own_texts("text/html"))

    @lazy
    def html_text(self) -> str:
        return "" if self.inline is not None else _joined(self._own_texts("text/html"))

    def _own_texts(self, content_type: str) -> Iterator[str]:
        for part in self.leaves:
            if part is self.returned or part.disposition == "attachment":
                return
            childless = part.content_type.startswith("multipart/") and content_type == "text/plain"
            if part.content_type == content_type or childless:
                yield part.text


def _joined(texts: Iterator[str]) -> str:
    return "\n".join(text for text in texts if text.strip())[:MAX_TEXT]
