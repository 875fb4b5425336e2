"""Look into mail that we wrote ourselves. Never for mail that came from outside."""

from email import message_from_bytes
from email.policy import compat32


def html_of(content: bytes) -> str:
    """Return the HTML part of one of our own mails, empty when it has none."""
    for part in message_from_bytes(content, policy=compat32).walk():
        if part.get_content_type() == "text/html":
            payload = part.get_payload(decode=True)
            return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return ""
