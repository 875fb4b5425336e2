"""Mails attached to a mail: message/rfc822 parts, octet-streams called *.eml, Outlook items (.msg)."""

from collections.abc import Iterator

from bounce_watch.unwrap.mime import Part, parse
from bounce_watch.unwrap.outlook_item import as_mail

MAX_ATTACHED = 50
OUTLOOK_ITEM = "application/vnd.ms-outlook"
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
        elif is_outlook_item(part) and (mail := as_mail(part.content)):
            yield parse(mail)


def is_outlook_item(part: Part) -> bool:
    """Tell whether a part calls itself an Outlook item (.msg)."""
    return part.content_type == OUTLOOK_ITEM or (part.filename or "").lower().endswith(".msg")
