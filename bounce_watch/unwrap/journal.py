"""Journal reports of Exchange 2003 and 2007+ (Microsoft, pages bb331962 and bb738122)."""

import re

from bounce_watch.unwrap.mime.headers import Headers, addresses
from bounce_watch.unwrap.mime.tree import Part

_RECIPIENT_LINE = re.compile(
    r"^\s{0,20}(?:to|cc|bcc|recipient)\s{0,5}:(.{1,2000})$", re.IGNORECASE | re.MULTILINE
)
_RECIPIENT_LIST = re.compile(r"^\s{0,20}recipients\s{0,5}:(.*)$", re.IGNORECASE | re.MULTILINE)


def is_journal(headers: Headers) -> bool:
    """Tell whether a message is a journal report; the field that says so is empty."""
    if "x-ms-journal-report" in headers:
        return True
    names = (*headers.every("content-identifier"), *headers.every("content-identifer"))
    return any("exjournalreport" in name.lower() for name in names)


def journalled(message: Part) -> Part | None:
    """Return the root of the message inside a journal report."""
    found = next((part for part in message.leaves() if part.is_embedded_message), None)
    return found.children[0] if found else None


def recipients(message: Part) -> tuple[str, ...]:
    """Return the envelope's recipients, which the body of a journal report lists."""
    text = next((part.text for part in message.leaves() if part.content_type == "text/plain"), "")
    listed = _RECIPIENT_LIST.search(text)
    if listed:
        return addresses(listed[1] + text[listed.end() :])
    # `To: a@b, Expanded: list@b`: the second address is the list that was expanded.
    found = (addresses(line.split(",", 1)[0], limit=1) for line in _RECIPIENT_LINE.findall(text))
    return tuple(dict.fromkeys(address for row in found for address in row))
