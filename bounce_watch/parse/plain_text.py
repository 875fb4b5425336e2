"""Reports written as text for people: where the returned message begins, and the fields of such a report."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from bounce_watch.model import Action, RecipientFields
from bounce_watch.model.address import normalise
from bounce_watch.parse.fields import ReportFields, read_recipient
from bounce_watch.unwrap import Headers, read_headers
from bounce_watch.unwrap.fast_patterns import LineStartPattern
from bounce_watch.unwrap.mime.limits import MAX_RECIPIENTS

# An apostrophe, `|` or `*` counts only between letters (O'Neil): texts also put them around addresses.
_NOT_IN_ADDRESS = r"\s<>()\[\]:;,\"'|*，。：；、（）【】「」“”‘’《》"
ADDRESS = (
    rf"[^{_NOT_IN_ADDRESS}]{{1,320}}(?:(?<=\w)['|*](?=\w)[^{_NOT_IN_ADDRESS}]{{1,320}}){{0,2}}"
    rf"@[^{_NOT_IN_ADDRESS}]{{0,254}}[^{_NOT_IN_ADDRESS}.]"
)

_RETURNED = LineStartPattern(
    r"[ \t>|]{0,8}(?:"
    r"[-=_*|]{2,80}[ \t]{0,8}(?:(?:start of )?(?:the )?(?:returned|original|unsent"
    r"|undelivered) (?:message|mail)"
    r"|below (?:this|the next) line|(?:this is a |here is a )?copy of (?:the|your)|message (?:header"
    r"|text|body)s? "
    r"|the headers? (?:of|and)|the body of|returned message|unsent message)"
    r"|below is a copy of|(?:possibly truncated )?original message (?:follows|text)"
    r"|message headers follow|here is a copy of"
    r"|a copy of the original message|your message reads|a summary of the undelivered message|old message:"
    r"|the (?:header|first)[^\n]{1,40}(?:original|of the|your) message|original message:"
    r")[^\n]{0,120}$",
    re.IGNORECASE,
)
_HEADER_BLOCK = LineStartPattern(
    r"[ \t>|]{0,8}(?:Received|Return-Path|DKIM-Signature|X-Originating-IP|X-Google-Smtp-Source"
    r"|X-Received)[ \t]?:",
    re.IGNORECASE,
)
_FIELD = re.compile(r"[ \t>|]{0,8}[A-Za-z][\w-]{1,60}[ \t]?:")
_MARGIN = re.compile(r"[ \t>|]{1,8}")


class Narrative(NamedTuple):
    """The report's own words, and the headers of the returned message if the text holds them."""

    text: str
    returned: Headers | None
    action: Action


class Entry(NamedTuple):
    """One recipient with the words about it."""

    address: str
    words: str


@lru_cache(1)  # several ask about the same text
def split_returned(text: str) -> tuple[str, Headers | None]:
    """Split a text at the returned message; the headers are None if they cannot be read."""
    marker = _RETURNED.search(text)
    block = _HEADER_BLOCK.search(text)
    if marker and (block is None or marker.start() <= block.start()):
        start, rest = marker.start(), text[marker.end() :]
    elif block:
        start, rest = block.start(), text[block.start() :]
    else:
        return text, None
    return text[:start], _headers_at_start(rest)


def _headers_at_start(text: str) -> Headers | None:
    lines = text.lstrip("\n \t-=_*|").split("\n")[:400]
    start = next((number for number, line in enumerate(lines) if _FIELD.match(line)), None)
    if start is None:
        return None
    block = "\n".join(unindented(lines[start:]))
    headers = read_headers(block.encode("utf-8", "replace"))[0]
    known = ("from", "to", "subject", "message-id", "return-path", "date")
    return headers if any(name in headers for name in known) else None


def unindented(lines: list[str]) -> list[str]:
    """Remove the indent or quotation marks of the first line from all lines, so that folded lines show."""
    margin = _MARGIN.match(lines[0])
    prefix = margin[0] if margin else ""
    return [line.removeprefix(prefix) for line in lines] if prefix else lines


def report_of(
    narrative: Narrative, entries: list[Entry], reporting_mta: str | None = None
) -> ReportFields | None:
    """Build the fields of a report in plain words, None if it names no address."""
    recipients: dict[str, RecipientFields] = {}
    for entry in entries[:MAX_RECIPIENTS]:
        address = normalise(entry.address)
        recipients.setdefault(
            address.lower(), read_recipient(final=address, action=narrative.action, diagnostic=entry.words)
        )
    if not recipients:
        return None
    return ReportFields(
        recipients=tuple(recipients.values()), returned=narrative.returned, reporting_mta=reporting_mta
    )


def followed(heads: list[re.Match[str]], text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield each head with the text up to the next one."""
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return ((head, text[head.end() : end]) for head, end in zip(heads, ends, strict=False))
