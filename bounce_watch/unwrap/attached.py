"""Mails attached to a mail: message/rfc822 parts, and octet-streams that are called *.eml."""

from collections.abc import Iterator

from bounce_watch.unwrap.mime import Part, parse

MAX_ATTACHED = 50
_UNSPECIFIC = frozenset({"application/octet-stream", "application/x-unknown", "text/plain"})


def attached_messages(message: Part) -> tuple[Part, ...]:
    """Return the roots of the mails attached to a message, in order, at most 50."""
    return tuple(found for _, found in zip(range(MAX_ATTACHED), _attached(message), strict=False))


def _attached(message: Part) -> Iterator[Part]:
    for part in message.leaves():
        if part is message:
            continue
        if part.is_embedded_message:
            yield part.children[0]
        elif part.content_type in _UNSPECIFIC and (part.filename or "").lower().endswith(".eml"):
            yield parse(part.content)
