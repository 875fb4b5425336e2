"""Users, an outgoing mail server, a refusing world outside and the watched mailbox, all real."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, make_msgid
from pathlib import Path

from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.servers.postfix import Postfix
from tests.servers.refusing import RefusingServer


@dataclass(frozen=True, slots=True, kw_only=True)
class MailWorld:
    """`dovecot` holds all mailboxes, `postfix` takes mail on loopback (STARTTLS, no sign-in).

    What Postfix bounces is redirected to `watched`; other mail for contoso.example, with whatever
    reverse path, reaches the addressee's own mailbox. The rest of the world is `outside`.
    """

    dovecot: Dovecot
    postfix: Postfix
    outside: RefusingServer
    watched: str = WATCHED
    password: str = PASSWORD

    @property
    def imap_port(self) -> int:
        """The port for IMAP over TLS on localhost."""
        return self.dovecot.imaps_port

    @property
    def imap_ca_file(self) -> Path:
        return self.dovecot.certificates.ca_file

    @property
    def smtp_port(self) -> int:
        """The port for SMTP with STARTTLS on localhost."""
        return self.postfix.port

    @property
    def smtp_ca_file(self) -> Path:
        return self.postfix.certificates.ca_file

    def send(self, sender: str, recipient: str, subject: str = "Lunch on Friday") -> str:
        """Send a user's mail and return its Message-ID."""
        message_id = make_msgid(domain="contoso.example")
        lines = (
            f"From: {sender}",
            f"To: {recipient}",
            f"Subject: {subject}",
            f"Date: {format_datetime(datetime.now(UTC))}",
            f"Message-ID: {message_id}",
            "",
            "Shall we meet at noon?",
            "",
        )
        with smtplib.SMTP("127.0.0.1", self.postfix.port, timeout=10) as client:
            client.sendmail(sender, [recipient], "\r\n".join(lines).encode())
        return message_id


@contextmanager
def start_world(lifetime: str = "5d") -> Iterator[MailWorld]:
    """Start all three servers. `lifetime` is how long Postfix tries before it reports "expired"."""
    with (
        Dovecot() as dovecot,
        RefusingServer() as outside,
        Postfix(lmtp_port=dovecot.lmtp_port, refusing_port=outside.port, lifetime=lifetime) as postfix,
    ):
        yield MailWorld(dovecot=dovecot, postfix=postfix, outside=outside)
