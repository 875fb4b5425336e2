"""`history`, `show` and `top`: what happened."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bounce_watch.store import BounceRow, HistoryFilter

Sender = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Bounced sender; * stands for any text.")]
Recipient = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Recipient; * stands for any text.")]
Domain = Annotated[str | None, typer.Option(help="The recipient's domain.")]
Code = Annotated[str | None, typer.Option(help="Status (5.1.1) or reply code (550).")]
CauseName = Annotated[str | None, typer.Option("--cause", help="A cause, such as mailbox_full.")]
OwnerName = Annotated[
    str | None, typer.Option("--owner", help="Who must act: sender, mail_admin, security, ...")
]
SideName = Annotated[str | None, typer.Option("--side", help="Whose server refused: ours or theirs.")]
IncidentNumber = Annotated[int | None, typer.Option("--incident", help="Only bounces of this incident.")]
Since = Annotated[str | None, typer.Option(help="From then on: 7d, 12h, yesterday, 2026-11-24.")]
Until = Annotated[str | None, typer.Option(help="Before then.")]
Text = Annotated[str | None, typer.Option(help="Text in addresses, subject or the server's words.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="CSV, safe for spreadsheets.")]


def register(app: typer.Typer) -> None:
    app.command()(history)
    app.command()(show)
    app.command()(top)


def history(
    context: typer.Context,
    sender: Sender = None,
    recipient: Recipient = None,
    domain: Domain = None,
    code: Code = None,
    cause: CauseName = None,
    owner: OwnerName = None,
    side: SideName = None,
    incident: IncidentNumber = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many rows; 0 is all.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many first.")] = 0,
    oldest: Annotated[bool, typer.Option("--oldest", help="Oldest first.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List bounces, newest first."""
    from bounce_watch.cli.opening import asking
    from bounce_watch.cli.output import emit, form_of, say
    from bounce_watch.store import Order

    chosen = _filter(
        sender=sender, recipient=recipient, domain=domain, code=code, cause=cause, owner=owner, side=side,
        incident=incident, since=since, until=until, text=text,
    )  # fmt: skip
    with asking(context.obj) as store:
        order = Order.OLDEST if oldest else Order.NEWEST
        rows = store.history(chosen, limit=limit or None, offset=offset, order=order)
        form = form_of(as_json, as_csv)
        count = emit(map(row_json, rows), _columns(), form, empty="No bounces found.")
        if (
            form == "table"
            and limit
            and count == limit
            and (more := store.count(chosen) - offset - count) > 0
        ):
            say(f"{more} more; use --offset {offset + count}, or --limit 0 for all.")


def _filter(**given: Any) -> "HistoryFilter":
    from bounce_watch.cli.moments import read_moment
    from bounce_watch.model import Cause, Owner, Side
    from bounce_watch.store import HistoryFilter

    given["cause"] = _word(Cause, given["cause"], "--cause")
    given["owner"] = _word(Owner, given["owner"], "--owner")
    given["side"] = _word(Side, given["side"], "--side")
    given["since"] = read_moment(given["since"])
    given["until"] = read_moment(given["until"])
    return HistoryFilter(**given)


def _word(kind: Any, text: str | None, option: str) -> Any:
    """Return the member of a set of words; name the nearest ones when there is none."""
    from difflib import get_close_matches

    if text is None:
        return None
    words = [member.value for member in kind]
    if text in words:
        return kind(text)
    near = get_close_matches(text, words, n=3, cutoff=0.4) or words[:8]
    raise typer.BadParameter(f"{text!r} is not known; did you mean {', '.join(near)}?", param_hint=option)


def row_json(row: "BounceRow") -> dict[str, Any]:
    """Return a stored bounce as the object that `--json` prints."""
    from bounce_watch.reading.objects import bounce_object

    bounce = row.bounce
    return {
        "id": row.id,
        "occurred_at": bounce.occurred_at,
        **bounce_object(bounce),
        "evidence": bounce.evidence,
        "subject": row.subject,
        "original_message_id": row.original_message_id,
        "report_id": row.report_id,
    }


def _columns() -> list[Any]:
    """Two lines a bounce: from and to above each other, cause and owner likewise, so 80 columns suffice."""
    from bounce_watch.cli.output import Column, local

    return [
        Column(key="id", title="Id", right=True),
        Column(key="occurred_at", title="When", show=lambda row: tuple(local(row["occurred_at"]).split())),
        Column(key="sender", title="Sender\n→ recipient", show=_from_and_to, gives_way=True, cut=True),
        Column(key="status", title="Code", show=lambda row: row["status"] or row["reply_code"] or ""),
        Column(key="cause", title="Cause\nWho must act", show=_cause_and_owner),
    ]


def _from_and_to(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["sender"] or "unknown", f"→ {row['recipient_decoded'] or row['recipient']}"


def _cause_and_owner(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["cause"], row["owner"]


def show(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="ID", help="The id that `history` shows.")],
    draft: Annotated[
        bool, typer.Option("--postmaster-draft", help="Write a mail to the recipient's mail admin instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of one bounce: the report, the judgement, what was written about it."""
    from bounce_watch.cli.detail import as_text, detail_json
    from bounce_watch.cli.opening import asking
    from bounce_watch.cli.output import emit_json

    with asking(context.obj) as store:
        detail = store.show(number)
    if draft:
        from bounce_watch.cli.postmaster import write_draft

        write_draft(context.obj, detail)
    elif as_json:
        emit_json(detail_json(detail))
    else:
        sys.stdout.write(as_text(detail))


def top(
    context: typer.Context,
    by: Annotated[str, typer.Argument(help="sender, recipient, domain, cause, code or owner.")] = "cause",
    since: Since = None,
    until: Until = None,
    sender: Sender = None,
    domain: Domain = None,
    cause: CauseName = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 10,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Count failed mails by one value, most first."""
    from bounce_watch.cli.opening import asking
    from bounce_watch.cli.output import Column, emit, form_of
    from bounce_watch.store import By

    value = _word(By, by, "BY")
    chosen = _filter(
        sender=sender, domain=domain, cause=cause, since=since, until=until, owner=None, side=None
    )  # fmt: skip
    with asking(context.obj) as store:
        counts = store.top(value, chosen, limit)
    most = max((count.now for count in counts), default=1)
    rows = [{by: count.label, "mails": count.now} for count in counts]
    columns = [
        Column(key=by, title=by.capitalize()),
        Column(key="mails", title="Mails", right=True),
        Column(
            key="bar", title="", show=lambda row: "█" * max(1, round(24 * row["mails"] / most)), style="cyan"
        ),
    ]
    emit(rows, columns, form_of(as_json, as_csv), empty="No bounces found.")
