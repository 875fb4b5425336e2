"""An SMTP server that refuses by the recipient's local part, with our own wording of common refusals.

Behind a real MTA it makes that MTA write a genuine bounce with this text in it.
"""

from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller

from tests.servers.processes import STARTED, free_port

RCPT_REFUSALS = {
    "nouser": "550 5.1.10 RESOLVER.ADR.RecipientNotFound; no such person at this address",
    "nocode": "550 User unknown",
    "full": "452 4.2.2 This mailbox is full, please come back later",
    "full5": "552 5.2.2 This mailbox is full",
    "listed": "550 5.7.1 Service unavailable, client host [203.0.113.5] is on a block list",
    "grey": "451 4.7.1 Greylisted, please come back in five minutes",
    "multi": "550-5.1.1 There is nobody with that name here.\r\n550 5.1.1 Please look for a typing error.",
}
DATA_REFUSALS = {
    "spf": "550 5.7.23 The message was rejected because of Sender Policy Framework violation",
    "dmarc": "550 5.7.509 Access denied, sending domain contoso.example does not pass DMARC verification",
    "big": "552 5.3.4 Message size exceeds fixed limit",
}


@dataclass  # no slots: aiosmtpd looks at every attribute, and Python 3.11.2 stumbles over __weakref__
class Refuser:
    """Remembers what was offered after DATA: reverse path, recipients, content."""

    seen: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=lambda: dict(RCPT_REFUSALS))
    """Answers by local part; that of "" is for everybody else."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if refusal := self.refusals.get(address.partition("@")[0]) or self.refusals.get(""):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.seen.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        refusals = (DATA_REFUSALS.get(address.partition("@")[0]) for address in envelope.rcpt_tos)
        return next((text for text in refusals if text), "250 2.0.0 queued")


class RefusingServer:
    """The refuser on a loopback port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.handler = Refuser()
        self._controller = Controller(
            self.handler, hostname="127.0.0.1", port=self.port, server_hostname="mx.fabrikam.example"
        )

    def __enter__(self) -> "RefusingServer":
        self._controller.start()
        STARTED["refusing SMTP server (aiosmtpd)"] += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self._controller.stop()
