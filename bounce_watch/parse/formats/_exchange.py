"""What the Exchange bodies share: labels in several languages, the original's headers, the action."""

import re

from bounce_watch.model import Action
from bounce_watch.parse.plain_text import unindented
from bounce_watch.unwrap import Headers, read_headers
from bounce_watch.unwrap.fast_patterns import LineStartPattern

HEADER_LINE = LineStartPattern(
    r"[ \t]{0,8}(?:Received|DKIM-Signature|ARC-Seal|ARC-Message-Signature|Authentication-Results|Return-Path"
    r"|X-MS-[\w-]{1,60}|X-Received|Message-ID|MIME-Version|Thread-Topic)[ \t]{0,4}:",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"delivery is delayed|delivery has been delayed|message delayed|will keep trying|verzögert|retard[ée]e?\b"
    r"|retrasad|ritardat|vertraagd|atrasad|försenad|forsinket|viivästy|opóźnion|gecik|opožděn|zpožděn|késlelte|întârzi|καθυστ|지연|задерж|延迟|延遲|遅延",
    re.IGNORECASE,
)
_RELAYED = re.compile(
    r"no delivery notification was sent by the destination"
    r"|delivery to these recipients or groups is complete",
    re.IGNORECASE,
)
_DELIVERED = re.compile(r"your message has been delivered to the following recipients", re.IGNORECASE)


def action_of(text: str) -> Action:
    """Return what the words of the body say happened; failed where they say nothing else."""
    head = text[:3000]
    if _RELAYED.search(head):
        return Action.RELAYED
    if _DELIVERED.search(head):
        return Action.DELIVERED
    return Action.DELAYED if _DELAYED.search(head) else Action.FAILED


def split_headers(text: str) -> tuple[str, str]:
    """Split a body at the original's headers that Exchange appends; they are empty when it appends none."""
    match = HEADER_LINE.search(text)
    return (text[: match.start()], text[match.start() :]) if match else (text, "")


def read_appended(headers: str) -> Headers | None:
    """Read the original's headers as `split_headers` gives them, None without any."""
    block = "\n".join(unindented(headers.split("\n")))
    return read_headers(block.encode("utf-8", "replace"))[0] if headers else None
