"""The mails that colleagues wrote, as a report returns them."""

from dataclasses import dataclass
from datetime import datetime

from demo_mailbox.company import TENANT, Person
from demo_mailbox.identity import address_of, guid, mail_id, server, thread_index
from demo_mailbox.mime import Header, encoded, header_block, mailbox, stamp, text_part


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A mail on its way out. `more` are header lines of a robot's mail."""

    sender: Person
    recipients: tuple[str, ...]
    subject: str
    sent: datetime
    text: str = "Hello,\r\n\r\nplease find the details below.\r\n\r\nKind regards\r\n"
    more: tuple[Header, ...] = ()

    @property
    def _about(self) -> tuple[object, ...]:
        return (self.sender.address, self.recipients, self.subject, self.sent.isoformat())

    @property
    def message_id(self) -> str:
        return mail_id(*self._about)

    @property
    def thread_index(self) -> str:
        return thread_index(*self._about)

    @property
    def server(self) -> str:
        return server(*self._about)

    @property
    def network_id(self) -> str:
        return str(guid("network", *self._about))

    def headers(self) -> str:
        """Return the header lines that Exchange returns and quotes in its report."""
        return header_block(
            [
                ("Received", self._received()),
                ("From", mailbox(self.sender.name, self.sender.address)),
                ("To", ",\r\n ".join(f"<{address}>" for address in self.recipients)),
                ("Subject", encoded(self.subject)),
                ("Thread-Topic", encoded(self.subject)),
                ("Thread-Index", self.thread_index),
                ("Date", stamp(self.sent)),
                ("Message-ID", self.message_id),
                ("Accept-Language", f"{self.sender.language}, en-US"),
                ("Content-Language", self.sender.language),
                ("X-MS-Has-Attach", ""),
                ("X-MS-TNEF-Correlator", ""),
                ("x-ms-publictraffictype", "Email"),
                ("X-OriginatorOrg", self.sender.address.partition("@")[2]),
                ("X-MS-Exchange-CrossTenant-Network-Message-Id", self.network_id),
                ("X-MS-Exchange-CrossTenant-id", TENANT),
                ("X-MS-Exchange-CrossTenant-AuthAs", "Internal"),
                ("MIME-Version", "1.0"),
                *self.more,
            ]
        )

    def message(self) -> str:
        return self.headers() + text_part("plain", self.text)

    def _received(self) -> str:
        host = self.server
        return (
            f"from {host}\r\n ([{address_of(host)}]) by {host}\r\n"
            f" ([{address_of(host)}%4]) with mapi id 15.21.0137.008; {stamp(self.sent)}"
        )
