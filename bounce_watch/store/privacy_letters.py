"""One of our own mails written anew without a person's address: never for mail that came from outside."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from bounce_watch.store.privacy_forms import Named

_POLICY = SMTP.clone(cte_type="7bit")


def letter_without(raw: bytes, person: Named, pseudonym: str) -> bytes:
    """Return the mail with the pseudonym in place of the person; empty where that cannot be done surely."""
    mail = message_from_bytes(raw, policy=_POLICY)
    for part in mail.walk():
        _change_fields(part, person, pseudonym)
        if part.get_content_maintype() == "text":
            _change_text(part, person, pseudonym)
    changed = mail.as_bytes(policy=_POLICY)
    return b"" if person.is_in_letter(changed) else changed


def _change_fields(part: EmailMessage, person: Named, pseudonym: str) -> None:
    for name, value in part.items():
        if person.is_in(str(value)):
            part.replace_header(name, person.replaced(str(value), pseudonym))


def _change_text(part: EmailMessage, person: Named, pseudonym: str) -> None:
    text = part.get_content()
    if person.is_in(text):
        part.set_content(
            person.replaced(text, pseudonym), subtype=part.get_content_subtype(), cte="quoted-printable"
        )
