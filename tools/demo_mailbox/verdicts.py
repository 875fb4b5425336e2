"""Why a recipient was not reached: what the servers say and what the report tells the sender.

Replies and tokens are those that Exchange Online and common servers give; the sentences are ours.
In the texts {to} is the recipient, {local} and {domain} its parts, {day} the day of the report.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

Host = Literal["exchange", "plain"]
Party = Literal["sender", "service", "recipient"]
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One outcome. `host` is the kind of server that refused, None when our own Exchange did.

    `party` must act and `label` says so in the report. `earlier` is a temporary reply of the days before.
    `after` is how long Exchange tried.
    """

    status: str
    reply: str
    host: Host | None
    party: Party
    label: str
    headline: str
    advice: str
    action: str = "failed"
    earlier: str | None = None
    after: timedelta = timedelta(seconds=21)

    def fill(self, text: str, address: str, day: datetime) -> str:
        """Put a recipient and a day into one of the texts."""
        local, _, domain = address.partition("@")
        return text.format(to=address, local=local, domain=domain, day=f"{day.astimezone(UTC):%Y-%m-%d}")

    def remote_host(self, address: str) -> str | None:
        """Return the host that refused, None when our own Exchange did."""
        domain = address.partition("@")[2]
        match self.host:
            case "exchange":
                return f"{domain.replace('.', '-')}.mail.protection.outlook.com"
            case "plain":
                return f"mx1.{domain}"
            case None:
                return None


UNKNOWN = Verdict(
    status="5.1.10",
    reply="550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup",
    host="exchange",
    party="sender",
    label="Unknown To address",
    headline="{local} wasn't found at {domain}.",
    advice="Check the spelling of the address and send the message again.",
)
UNKNOWN_FR = replace(
    UNKNOWN,
    label="Adresse du destinataire inconnue",
    headline="{local} est introuvable sur {domain}.",
    advice="Vérifiez l'orthographe de l'adresse, puis renvoyez le message.",
)
LEFT = replace(
    UNKNOWN,
    status="5.1.351",
    reply="550 5.1.351 Remote server returned unknown recipient or mailbox unavailable -> "
    "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table",
    host="plain",
)
REFUSED_AT_THE_EDGE = replace(
    UNKNOWN,
    status="5.4.1",
    reply="550 5.4.1 Recipient address rejected: Access denied. AS(201806281) "
    "[DB5EUR03FT045.eop-EUR03.prod.protection.outlook.com {day}T00:00:00.000Z 08DE1F0A2B3C4D5E]",
    label="Recipient address refused",
)
NO_SUCH_USER = replace(
    UNKNOWN, status="5.1.1", reply="550 5.1.1 <{to}>: no mailbox here by that name", host="plain"
)
STALE_ENTRY = Verdict(
    status="5.1.1",
    reply="550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found",
    host=None,
    party="sender",
    label="Outdated address entry",
    headline="The address that Outlook suggested is no longer valid.",
    advice="Delete the suggestion, type the whole address and send the message again.",
)
MAILBOX_FULL = Verdict(
    status="5.2.2",
    reply="552 5.2.2 <{to}>: mailbox is full, over quota",
    host="plain",
    party="recipient",
    label="Mailbox full",
    headline="The mailbox of {local} is full.",
    advice="Tell the recipient by another way, then send the message again.",
)
MAILBOX_FULL_EXCHANGE = replace(
    MAILBOX_FULL,
    reply="554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException."
    "MapiExceptionShutoffQuotaExceeded; Failed to process message due to a permanent exception",
    host="exchange",
)
MAILBOX_FULL_DE = replace(
    MAILBOX_FULL,
    label="Postfach voll",
    headline="Das Postfach von {local} ist voll.",
    advice="Verständigen Sie den Empfänger auf anderem Weg und senden Sie die Nachricht später erneut.",
)
TOO_LARGE = Verdict(
    status="5.3.4",
    reply="552 5.3.4 Message size exceeds fixed maximum message size (26214400 bytes)",
    host="plain",
    party="sender",
    label="Message too large",
    headline="The message is larger than {domain} accepts.",
    advice="Share the attachment as a link and send the message again.",
)
TOO_LARGE_FOR_RECIPIENT = replace(
    TOO_LARGE,
    status="5.2.3",
    reply="550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient",
    host="exchange",
)
CLOSED_GROUP = Verdict(
    status="5.7.133",
    reply="550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; "
    "Delivery restriction check failed because the sender was not authenticated when sending to this group",
    host="exchange",
    party="recipient",
    label="Only for senders inside",
    headline="The group {local} takes mail from its own organization only.",
    advice="Ask a member or the group's owner to let you write to it.",
)
OWN_CLOSED_GROUP = replace(
    CLOSED_GROUP,
    status="5.7.1",
    reply="550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized",
    host=None,
    label="Not allowed to send",
    headline="You aren't allowed to write to {local}.",
)
SPAM = Verdict(
    status="5.7.350",
    reply="550 5.7.350 Remote server returned message detected as spam -> "
    "554 5.7.1 <{to}>: message content was classified as spam",
    host="plain",
    party="sender",
    label="Messages suspected as spam",
    headline="{domain} took the message for spam.",
    advice="Change the wording and the links, then send the message again.",
)
BLOCKLIST = Verdict(
    status="5.7.1",
    reply="550 5.7.1 Service unavailable; Client host [203.0.113.45] blocked using list.blocklist.example; "
    "see https://www.blocklist.example/lookup?ip=203.0.113.45",
    host="plain",
    party="service",
    label="Sending server blocked",
    headline="{domain} doesn't accept mail from the sending server.",
    advice="Forward this message to your email admin.",
)
ACCOUNT_BLOCKED = Verdict(
    status="5.1.8",
    reply="550 5.1.8 Access denied, bad outbound sender AS(42004)",
    host=None,
    party="service",
    label="Sender blocked",
    headline="Your account isn't allowed to send mail outside the organization.",
    advice="Your account may send spam without your knowledge. Call your email admin.",
)
SPF = Verdict(
    status="5.7.23",
    reply="550 5.7.23 The message was rejected because of Sender Policy Framework violation",
    host="plain",
    party="service",
    label="Sender not authorized by SPF",
    headline="{domain} couldn't confirm that the message came from a trusted place.",
    advice="Forward this message to your email admin.",
)
DMARC = replace(
    SPF,
    status="5.7.509",
    reply="550 5.7.509 Access denied, sending domain larkfield.example does not pass DMARC verification "
    "and has a DMARC policy of reject.",
    host="exchange",
    label="Failed DMARC",
)
NO_DOMAIN = Verdict(
    status="5.4.310",
    reply="550 5.4.310 DNS domain {domain} does not exist [Message=InfoDomainNonexistent] "
    "[LastAttemptedServerName={domain}] [AM9PR07MB4512.eurprd07.prod.outlook.com {day}T00:00:00.000Z]",
    host=None,
    party="sender",
    label="Unknown domain",
    headline="There is no domain {domain}.",
    advice="Check the part of the address after the @ sign.",
)
EXPIRED = Verdict(
    status="4.4.7",
    reply="550 4.4.7 QUEUE.Expired; message expired",
    host=None,
    party="recipient",
    label="Message expired",
    headline="The server of {domain} couldn't be reached in time.",
    advice="Send the message again later. If it fails again, tell the recipient by another way.",
    earlier="451 4.4.0 DNS query failed",
    after=DAY,
)
EXPIRED_GREYLISTED = replace(EXPIRED, earlier="451 4.7.1 <{to}>: Greylisted, please try again later")
DELAYED = replace(
    EXPIRED,
    reply="400 4.4.7 Message delayed",
    label="Delayed",
    headline="The server of {domain} doesn't take the message at the moment.",
    advice="There is nothing to do: the server keeps trying for 20 more hours.",
    action="delayed",
    earlier="421 4.3.2 Service not active",
    after=timedelta(hours=4),
)
DELIVERED = Verdict(
    status="2.0.0",
    reply="250 2.0.0 OK: queued as 4F2A1C0",
    host="plain",
    party="recipient",
    label="Delivered",
    headline="The message reached the mailbox of {local}.",
    advice="There is nothing to do.",
    action="delivered",
)
RELAYED = replace(
    DELIVERED,
    headline="The message was handed to {domain}, which sends no receipts.",
    label="Relayed",
    action="relayed",
)
