"""Show a redacted sample of a bounce, then write it into a folder for its owner alone."""

from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path

import typer

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.output import confirm, print_lines, say
from bounce_watch.cli.common.pages import write_new_file
from bounce_watch.cli.learn.sample.redact import redacted
from bounce_watch.store import BounceDetail
from bounce_watch.unwrap.mime.text import one_line

_HINT = "--sample"
_REPORT = """\
From: Mail Delivery System <mailer-daemon@{domain}>
To: {sender}
Subject: Undelivered Mail Returned to Sender
Date: {date}
Message-ID: <report@{domain}>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="report"

--report
Content-Type: text/plain; charset=utf-8

{words}

--report
Content-Type: message/delivery-status

{fields}

--report
Content-Type: text/rfc822-headers

From: {sender}
To: {recipient}
Subject: {subject}
Message-ID: {message_id}

--report--
"""


def write_sample(raw: bytes, folder: Path, *, yes: bool) -> None:
    """Show the redacted copy of a message and write it; exit with 1 if it still identifies people."""
    sample = redacted(raw)
    print_lines(sample.content.decode("utf-8", "replace").splitlines())
    for remark in sample.differs:
        say(f"The sample above is not quite the same: {remark}.")
    if sample.left:
        say(f"Not written, because it still holds: {', '.join(sample.left)}")
        raise typer.Exit(Exit.FAILED)
    if folder.is_symlink():
        raise typer.BadParameter(f"{folder} is a link, and links are not followed", param_hint=_HINT)
    if not yes:
        confirm("Read it: names in sentences stay. Write it?", _HINT)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"sample-{sha256(sample.content).hexdigest()[:12]}.eml"
    write_new_file(path, sample.content, _HINT)
    say(f"Written: {path}")


def stored_report(detail: BounceDetail) -> bytes:
    """Return a report made of what is stored of a bounce, because its message is not stored."""
    row, report = detail.bounce or detail.bounces[0], detail.report.report
    bounce = row.bounce
    values = {
        "Reporting-MTA": f"dns; {report.reporting_mta or 'mx.example'}",
        "Final-Recipient": f"rfc822; {bounce.recipient}",
        "Action": bounce.action.value,
        "Status": bounce.status,
        "Remote-MTA": f"dns; {bounce.remote_mta}" if bounce.remote_mta else None,
        "Diagnostic-Code": f"smtp; {bounce.diagnostic_code}" if bounce.diagnostic_code else None,
    }
    lines = [f"{name}: {one_line(value, 2_000)}" for name, value in values.items() if value]
    # The group of the recipient follows a blank line (RFC 3464 section 2.1).
    lines.insert(1, "")
    sender = one_line(bounce.sender or "sender@example.com")
    text = _REPORT.format(
        domain=sender.rpartition("@")[2],
        sender=sender,
        recipient=one_line(bounce.recipient),
        date=format_datetime(bounce.occurred_at or row.recorded_at),
        words=one_line(bounce.diagnostic_code or "", 2_000),
        fields="\n".join(lines),
        subject=one_line(row.subject or "(subject)"),
        message_id=one_line(row.original_message_id or "<1@example.com>"),
    )
    return text.replace("\n", "\r\n").encode("utf-8", "replace")
