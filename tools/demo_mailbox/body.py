"""What people read in a report: the current form with its three parties, and the form for delays."""

from datetime import UTC, datetime
from html import escape

from demo_mailbox.report import Report

_RULE = "_" * 32


def plain(report: Report) -> str:
    """Return the plain text of a report."""
    tried_for_long = report.outcomes[0][1].earlier is not None
    return (_queue_text if tried_for_long else _card_text)(report).replace("\r\n", "\n")


def html(report: Report) -> str:
    """Return the HTML of a report: the same lines as the text, in cells and headings."""
    address, verdict = report.outcomes[0]
    words = report.wording
    title = words.not_delivered.format(to=f"<b>{escape(address)}</b>")
    reply = escape(verdict.fill(verdict.reply, address, report.reported))
    sections = [
        f'<p style="font-size:20px">{title}</p>',
        *(f"<p>{escape(line)}</p>" for line in _headlines(report)),
        _party_row(report),
        f"<h3>{words.how_to_fix}</h3><p>{escape(verdict.advice)}</p><hr>",
        f"<h3>{words.for_admins}</h3><p>{words.status_code} {reply[:3]} {verdict.status}</p>",
        f"<h3>{words.details}</h3>{_table(_details(report))}",
        f"<h3>{words.error_details}</h3>{_table(_errors(report))}",
        f"<h3>{words.hops}</h3>{_hop_table(report)}",
        f"<h3>{words.headers}</h3><pre>{escape(report.original.headers())}</pre>",
    ]
    body = "\n".join(sections)
    return (
        f'<html><head><meta charset="utf-8"></head><body style="font-family:Segoe UI">{body}</body></html>\n'
    )


def _headlines(report: Report) -> list[str]:
    return [verdict.fill(verdict.headline, address, report.reported) for address, verdict in report.outcomes]


def _parties(report: Report) -> list[tuple[str, str]]:
    """Return the three parties, each with the mark of the one who must act."""
    address, verdict = report.outcomes[0]
    names = {
        "sender": report.original.sender.address.partition("@")[0],
        "service": "Office 365",
        "recipient": address.partition("@")[0],
    }
    mark = report.wording.action_required
    return [(name, mark if party == verdict.party else "") for party, name in names.items()]


def _party_row(report: Report) -> str:
    cells = "".join(f"<td>{escape(name)}<br><b>{escape(mark)}</b></td>" for name, mark in _parties(report))
    label = escape(report.outcomes[0][1].label)
    return f'<table width="100%"><tr>{cells}</tr></table><p>{label}</p>'


def _card_text(report: Report) -> str:
    words, verdict = report.wording, report.outcomes[0][1]
    recipients = ", ".join(address for address, _ in report.outcomes)
    reply = report.replies()[0]
    lines = [
        words.not_delivered.format(to=recipients),
        *_headlines(report),
        "",
        *(f"{name}\t{mark}".rstrip() for name, mark in _parties(report)),
        verdict.label,
        "",
        words.how_to_fix,
        verdict.advice,
        "",
        _RULE,
        words.for_admins,
        f"{words.status_code} {reply[:3]} {verdict.status}",
        "",
        words.details,
        *(f"{label}\t{value}" for label, value in _details(report)),
        "",
        words.error_details,
        *(f"{label}\t{value}" for label, value in _errors(report)),
        "",
        words.hops,
        "HOP\tTIME (UTC)\tFROM\tTO\tWITH\tRELAY TIME",
        *("\t".join(row) for row in _hops(report)),
        "",
        words.headers,
        report.original.headers(),
    ]
    return "\n".join(lines)


def _queue_text(report: Report) -> str:
    """Return the older form, which Exchange still writes when a server did not answer."""
    address, verdict = report.outcomes[0]
    opening = "Delivery is delayed" if verdict.action == "delayed" else "Delivery has failed"
    earlier = verdict.fill(verdict.earlier or "", address, report.reported)
    host = f"Server at {address.partition('@')[2]} returned"
    lines = [
        f"{opening} to these recipients or groups:",
        "",
        f"{address}<mailto:{address}>",
        *_headlines(report),
        verdict.advice,
        "",
        "Diagnostic information for administrators:",
        "",
        f"Generating server: {report.server}",
        "",
        address,
        f"{_clock(report.reported)} - {host} '{report.replies()[0]}'",
        f"{_clock(report.original.sent)} - {host} '{earlier}'",
        "",
        "Original message headers:",
        "",
        report.original.headers(),
    ]
    return "\n".join(lines)


def _details(report: Report) -> list[tuple[str, str]]:
    words, original = report.wording, report.original
    return [
        (words.created, _clock(original.sent)),
        (words.sender, original.sender.address),
        *((words.recipient, address) for address, _ in report.outcomes),
        (words.subject, original.subject),
    ]


def _errors(report: Report) -> list[tuple[str, str]]:
    words = report.wording
    hosts = [verdict.remote_host(address) for address, verdict in report.outcomes]
    return [
        *((words.reported_error, reply) for reply in report.replies()),
        (words.generated_by, report.server),
        *((words.remote_server, host) for host in hosts if host),
    ]


def _hops(report: Report) -> list[tuple[str, ...]]:
    sent, host = report.original.sent, report.original.server
    return [
        ("1", _clock(sent), host, host, "mapi", "*"),
        ("2", _clock(sent), host, report.server, "Microsoft SMTP Server (TLS 1.3)", "1 sec"),
    ]


def _table(rows: list[tuple[str, str]]) -> str:
    return (
        "<table>"
        + "".join(f"<tr><td>{escape(label)}</td><td>{escape(value)}</td></tr>" for label, value in rows)
        + "</table>"
    )


def _hop_table(report: Report) -> str:
    rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in _hops(report))
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def _clock(moment: datetime) -> str:
    """Format a time as the report's body does: month first, twelve hours, UTC."""
    utc = moment.astimezone(UTC)
    hour = utc.hour % 12 or 12
    return f"{utc.month}/{utc.day}/{utc.year} {hour}:{utc:%M:%S} {'AM' if utc.hour < 12 else 'PM'}"
