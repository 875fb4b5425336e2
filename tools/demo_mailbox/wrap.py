"""How a report comes into the watched mailbox: bare, redirected, forwarded, journalled."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from demo_mailbox.body import html, plain
from demo_mailbox.company import BERLIN, EXCHANGE, MAILBOX, Person
from demo_mailbox.exchange import internal_headers, received, written
from demo_mailbox.identity import guid, mail_id, report_id, server
from demo_mailbox.mime import (
    Header,
    attached,
    encoded,
    header_block,
    joined,
    mailbox,
    part,
    stamp,
    text_part,
)
from demo_mailbox.report import Report
from demo_mailbox.wording import WORDINGS

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def bare(report: Report, arrived: datetime) -> str:
    """Return the report as a mail flow rule copies it."""
    return written(report, received(arrived, "bare", *report.about))


def redirected(report: Report, arrived: datetime) -> str:
    """Return the report as an inbox rule of the bounced sender redirects it."""
    owner = report.original.sender
    return written(
        report,
        received(arrived, "redirected", *report.about),
        ("Resent-From", f"<{owner.address}>"),
        ("X-MS-Exchange-Inbox-Rules-Loop", owner.address),
        ("X-MS-Exchange-Parent-Message-Id", report.message_id),
        ("X-MS-Exchange-Generated-Message-Source", "Mailbox Rules Agent"),
    )


def forwarded_as_attachment(reports: Sequence[Report], by: Person, note: str, arrived: datetime) -> str:
    """Return a colleague's mail with one or more reports attached."""
    about = ("attached", *(report.message_id for report in reports))
    boundary = f"_004_{guid(*about).hex[:24]}_"
    headers = [
        *_forward_headers(by, reports[0].subject, arrived, about),
        ("Content-Type", f'multipart/mixed;\r\n\tboundary="{boundary}"'),
        ("MIME-Version", "1.0"),
    ]
    parts = [text_part("plain", note), *(attached(written(one), one.subject) for one in reports)]
    return header_block(headers) + "\r\n" + joined(boundary, parts)


def forwarded_inline(report: Report, by: Person, note: str, arrived: datetime) -> str:
    """Return a colleague's mail that quotes the report as Outlook does: the machine part is lost."""
    about = ("inline", report.message_id)
    boundary = f"_000_{guid(*about).hex[:24]}_"
    headers = [
        *_forward_headers(by, report.subject, arrived, about),
        ("Content-Type", f'multipart/alternative;\r\n\tboundary="{boundary}"'),
        ("MIME-Version", "1.0"),
    ]
    lines = _quoted_lines(report)
    text = f"{note}\n\n{'_' * 32}\n" + "\n".join(lines) + f"\n\n{plain(report)}"
    quoted = "<br>".join(escape(line) for line in lines)
    page = f'<div>{escape(note)}</div><hr><div id="divRplyFwdMsg">{quoted}</div>{html(report)}'
    parts = [text_part("plain", text), text_part("html", page)]
    return header_block(headers) + "\r\n" + joined(boundary, parts)


def journalled(report: Report, arrived: datetime) -> str:
    """Return a journal report around the report: envelope lines first, then the untouched mail."""
    about = ("journal", report.message_id)
    boundary = str(guid(*about))
    envelope = (
        f"Sender: {EXCHANGE}\nSubject: {report.subject}\nMessage-Id: {report.message_id}\n"
        f"To: {report.original.sender.address}\n"
    )
    headers = [
        received(arrived, *about),
        ("From", mailbox("Microsoft Outlook", EXCHANGE)),
        ("To", MAILBOX),
        ("Date", stamp(arrived)),
        ("Subject", encoded(report.subject)),
        ("Message-ID", report_id(*about)),
        ("X-MS-Journal-Report", ""),
        *internal_headers(server(*about), *about),
        ("Content-Type", f'multipart/mixed;\r\n\tboundary="{boundary}"'),
        ("MIME-Version", "1.0"),
    ]
    parts = [text_part("plain", envelope), part("message/rfc822", written(report))]
    return header_block(headers) + "\r\n" + joined(boundary, parts)


def _forward_headers(by: Person, subject: str, arrived: datetime, about: tuple[object, ...]) -> list[Header]:
    prefix = WORDINGS[by.language].forward_prefix
    return [
        received(arrived, *about),
        ("From", mailbox(by.name, by.address)),
        ("To", mailbox("Bounces", MAILBOX)),
        ("Subject", encoded(f"{prefix} {subject}")),
        ("Thread-Topic", encoded(subject)),
        ("Date", stamp(arrived - timedelta(seconds=4))),
        ("Message-ID", mail_id(*about)),
        ("Accept-Language", by.language),
        ("Content-Language", by.language),
        *internal_headers(server(*about), *about),
    ]


def _quoted_lines(report: Report) -> list[str]:
    sender, owner = f"Microsoft Outlook <{EXCHANGE}>", report.original.sender
    labels = report.wording.forward_lines
    local = report.reported.astimezone(BERLIN)
    sent = f"{_DAYS[local.weekday()]}, {local:%d %B %Y %H:%M}"
    values = (sender, sent, f"{owner.name} <{owner.address}>", report.subject)
    return [f"{label} {value}" for label, value in zip(labels, values, strict=True)]
