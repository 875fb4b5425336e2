"""`history` and `show`: what happened."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bounce_watch.cli.common.filters import (
    AsCsv,
    AsJson,
    CauseName,
    Code,
    Domain,
    IncidentNumber,
    MailId,
    OwnerName,
    Recipient,
    Sender,
    SideName,
    Since,
    Subject,
    Text,
    Until,
    chosen_by,
    read_word,
)

if TYPE_CHECKING:
    from bounce_watch.store import BounceRow


def register(app: typer.Typer) -> None:
    app.command()(history)
    app.command()(show)


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
    mail: MailId = None,
    subject: Subject = None,
    sort: Annotated[
        str, typer.Option(help="Sorted by when, sender, recipient, domain, cause, code or owner.")
    ] = "when",
    limit: Annotated[int, typer.Option(min=0, help="At most so many rows; 0 is all.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many first.")] = 0,
    oldest: Annotated[bool, typer.Option("--oldest", help="Oldest first.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List bounces, newest first."""
    from bounce_watch.cli.common.open_store import asking
    from bounce_watch.cli.common.output import emit, form_of, say
    from bounce_watch.store import Order, Sort

    by = read_word(Sort, sort, "--sort")
    chosen = chosen_by(
        sender=sender, recipient=recipient, domain=domain, code=code, cause=cause, owner=owner, side=side,
        incident=incident, since=since, until=until, text=text, mail=mail, subject=subject,
    )  # fmt: skip
    with asking(context.obj) as store:
        order = Order.OLDEST if oldest else Order.NEWEST
        rows = store.history.find(chosen, limit=limit or None, offset=offset, order=order, sort=by)
        form = form_of(as_json, as_csv)
        count = emit(map(row_json, rows), _columns(), form, empty="No bounces found.")
        if (
            form == "table"
            and limit
            and count == limit
            and (more := store.history.count(chosen) - offset - count) > 0
        ):
            say(f"{more} more; use --offset {offset + count}, or --limit 0 for all.")


def row_json(row: "BounceRow") -> dict[str, Any]:
    """Return a stored bounce as the object that `--json` prints."""
    from bounce_watch.sandbox.json_output import bounce_object

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
    from bounce_watch.cli.common.output import Column, local

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
    from bounce_watch.cli.common.open_store import asking
    from bounce_watch.cli.common.output import emit_json
    from bounce_watch.cli.show import as_text, detail_json

    with asking(context.obj) as store:
        detail = store.history.show(number)
    if draft:
        from bounce_watch.cli.show import write_draft

        write_draft(context.obj, detail)
    elif as_json:
        emit_json(detail_json(detail))
    else:
        sys.stdout.write(as_text(detail))
