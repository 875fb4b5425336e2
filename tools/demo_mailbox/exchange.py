"""Exchange Online's reports as mail: headers, texts, machine-readable part (RFC 3464), returned mail."""

from datetime import datetime

from demo_mailbox.body import html, plain
from demo_mailbox.company import EXCHANGE, TENANT
from demo_mailbox.identity import address_of, guid, server
from demo_mailbox.mime import (
    Header,
    encoded,
    header_block,
    joined,
    mailbox,
    multipart,
    part,
    stamp,
    text_part,
)
from demo_mailbox.report import Report
from demo_mailbox.verdicts import Verdict


def written(report: Report, *first: Header) -> str:
    """Return the whole report; `first` are header lines that later hops put on top."""
    return (
        header_block([*first, *_headers(report)]) + "\r\n" + joined(report.boundary("report"), _parts(report))
    )


def _headers(report: Report) -> list[Header]:
    original, boundary = report.original, report.boundary("report")
    return [
        ("From", mailbox("Microsoft Outlook", EXCHANGE)),
        ("To", original.sender.address),
        ("Date", stamp(report.reported)),
        ("Content-Type", f'multipart/report; report-type=delivery-status;\r\n\tboundary="{boundary}"'),
        ("X-MS-Exchange-Message-Is-Ndr", ""),
        ("Content-Language", report.wording.code),
        ("Message-ID", report.message_id),
        ("In-Reply-To", original.message_id),
        ("References", original.message_id),
        ("Thread-Topic", encoded(original.subject)),
        ("Thread-Index", original.thread_index),
        ("Subject", encoded(report.subject)),
        ("Auto-Submitted", "auto-replied"),
        *internal_headers(report.server, *report.about),
        ("X-MS-Exchange-Organization-ExpirationStartTimeReason", "SideEffectMessage"),
        ("Return-Path", "<>"),
        ("MIME-Version", "1.0"),
    ]


def internal_headers(host: str, *about: object) -> list[Header]:
    """Return what Exchange Online adds to mail that began inside the organization."""
    return [
        ("X-MS-PublicTrafficType", "Email"),
        ("X-MS-TrafficTypeDiagnostic", f"{host.partition('.')[0]}:EE_"),
        ("X-MS-Exchange-Organization-Network-Message-Id", str(guid("network", *about))),
        ("X-MS-Exchange-Organization-SCL", "-1"),
        ("X-MS-Exchange-Organization-AuthSource", host),
        ("X-MS-Exchange-Organization-AuthAs", "Internal"),
        ("X-OriginatorOrg", EXCHANGE.partition("@")[2]),
        ("X-MS-Exchange-CrossTenant-AuthSource", host),
        ("X-MS-Exchange-CrossTenant-AuthAs", "Internal"),
        ("X-MS-Exchange-CrossTenant-Id", TENANT),
    ]


def _parts(report: Report) -> list[str]:
    texts = [text_part("plain", plain(report)), text_part("html", html(report))]
    return [
        multipart("alternative; differences=Content-Type", report.boundary("texts"), texts),
        part("message/delivery-status", _fields(report)),
        part("message/rfc822", report.original.message()),
    ]


def _fields(report: Report) -> str:
    message = [
        ("Reporting-MTA", f"dns;{report.server}"),
        ("Received-From-MTA", f"dns;{report.original.server}"),
        ("Arrival-Date", stamp(report.original.sent)),
    ]
    recipients = [recipient_fields(address, verdict, report.reported) for address, verdict in report.outcomes]
    return "\r\n".join(header_block(group) for group in (message, *recipients))


def recipient_fields(address: str, verdict: Verdict, day: datetime) -> list[Header]:
    """Return the group of one recipient (RFC 3464 section 2.3), in the order that Exchange writes."""
    remote = verdict.remote_host(address)
    return [
        ("Final-Recipient", f"rfc822;{address}"),
        ("Action", verdict.action),
        ("Status", verdict.status),
        ("Diagnostic-Code", f"smtp;{verdict.fill(verdict.reply, address, day)}"),
        *([("Remote-MTA", f"dns;{remote}")] if remote else []),
        ("X-Display-Name", address),
    ]


def received(moment: datetime, *about: object) -> Header:
    """Return the line of the hop into the mailbox store."""
    way = f"from {server('front', *about)}\r\n ({address_of(*about)}) by {server('store', *about)}"
    return ("Received", f"{way}\r\n with HTTPS; {stamp(moment)}")
