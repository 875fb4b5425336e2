"""`history`: list bounces."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.bounce_json import row_json
from bounce_watch.cli.common.filters import AsCsv, AsJson, filtered, read_word
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Column, Form, emit, form_of, say, two_lines
from bounce_watch.cli.common.words import cause_words, owner_words
from bounce_watch.store import HistoryFilter, Order, Sort


def _about(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the lines that name a message; a subject may be absent, or not be stored."""
    lines = (row["sender"] or "unknown", f"→ {row['recipient_decoded'] or row['recipient']}")
    return (*lines, row["subject"]) if row["subject"] else lines


# Three lines a bounce: the recipient below the sender, the owner below the cause, so 80 columns suffice.
_COLUMNS = (
    Column("id", "Id", right=True),
    Column("occurred_at", "When", show=lambda row: two_lines(row["occurred_at"])),
    Column("sender", "Sender\n→ recipient\nSubject", show=_about, flexible=True, truncate=True),
    Column("status", "Code", show=lambda row: row["status"] or row["reply_code"] or ""),
    Column("cause", "Cause\nOwner", show=lambda row: (cause_words(row), owner_words(row))),
)


@filtered(mail=True)
def history(
    context: typer.Context,
    *,
    chosen: HistoryFilter,
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
    by, form = read_word(Sort, sort, "--sort"), form_of(as_json, as_csv)
    order = Order.OLDEST if oldest else Order.NEWEST
    with read_store(context.obj) as store:
        rows = store.history.find(chosen, limit=limit or None, offset=offset, order=order, sort=by)
        count = emit(map(row_json, rows), _COLUMNS, form, empty="No bounces found.")
        if form is Form.TABLE and limit and count == limit:
            more = store.history.count(chosen) - offset - count
            if more > 0:
                say(f"{more} more; use --offset {offset + count}, or --limit 0 for all.")
