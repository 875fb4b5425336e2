"""`export`: all that is stored about one person, for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.privacy.forget import Address, read_person

if TYPE_CHECKING:
    from bounce_watch.store import Store
    from bounce_watch.store.privacy.columns import Found
    from bounce_watch.store.privacy.identity import Named

_SECTIONS = {
    "bounces": "mails that came back to them, or that did not reach them",
    "reports": "reports that name them",
    "mails": "our mails to them, and lines of others that name them",
    "mails_not_written": "mails that we decided not to write to them",
    "incidents": "incidents that they are a part of",
    "incident_history": "lines of incidents' history that name them",
    "unreadable_mails": "unreadable mails that name them, without the bytes",
    "remarks": "remarks about mails that name them",
    "audit": "lines of the audit that name them",
}


def register(app: typer.Typer) -> None:
    app.command()(export)


def export(
    context: typer.Context,
    address: Address,
    out: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A new .json or .zip file, or a new folder; mails come as files."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hand out all that is stored about one person; other people in it are left out."""
    from bounce_watch.cli.common.open_store import changing
    from bounce_watch.cli.common.output import emit_json, say
    from bounce_watch.cli.common.progress import waiting

    person = read_person(address)
    with changing(context.obj) as store:
        with waiting("Searching every text of the store"):
            found = store.privacy.search(person)
        if found.is_nothing:
            say(f"Nothing is stored about {address}.")
            return
        if out is not None:
            _write(store, person, found, out)
        elif as_json:
            for section, row in store.privacy.export(person, found):
                emit_json({"section": section, **row})
            _note(store, found)
        else:
            _print(found)


def _print(found: "Found") -> None:
    """Print how much is stored: what it says goes to a file, or comes with --json."""
    from bounce_watch.cli.common.output import Column, emit, form_of, say

    columns = [
        Column(key="count", title="Rows", right=True),
        Column(key="what", title="What", gives_way=True),
    ]
    emit([row for row in _counts(found) if row["count"]], columns, form_of(False))
    say("Add --out PATH (a .json or .zip file, or a folder) to write it, --json to print it.")


def _counts(found: "Found") -> list[dict[str, Any]]:
    tables = (
        "bounce", "report", "outgoing", "withheld", "incident", "incident_change", "quarantined", "message",
        "audit",
    )  # fmt: skip
    return [
        {"count": found.count(table), "what": what}
        for table, what in zip(tables, _SECTIONS.values(), strict=True)
    ]


def _write(store: "Store", person: "Named", found: "Found", out: Path) -> None:
    from datetime import UTC, datetime

    from bounce_watch.cli.common.output import say
    from bounce_watch.cli.common.progress import waiting
    from bounce_watch.cli.privacy import export_files as files

    head = {"address": person.key, "made_at": datetime.now(UTC), "sections": _SECTIONS}
    rows = store.privacy.export(person, found)
    try:
        with waiting("Writing"):
            if out.suffix == ".json":
                with files.closed_file(out) as raw, files.as_text(raw) as text:
                    files.write_document(text, head, rows)
            else:
                write = files.write_zip if out.suffix == ".zip" else files.write_folder
                write(out, store, head, rows)
    except FileExistsError:
        raise typer.BadParameter(f"{out} exists already; choose another name", param_hint="--out") from None
    except OSError as error:
        raise typer.BadParameter(f"{out}: {error.strerror}", param_hint="--out") from None
    _note(store, found)
    say(f"{out}: readable for you alone. Hand it to nobody but {person.key}, and delete it then.")


def _note(store: "Store", found: "Found") -> None:
    from datetime import UTC, datetime

    from bounce_watch.cli.common.when import account
    from bounce_watch.store.privacy.search import NAMES

    figures: dict[str, int | str] = {
        NAMES.get(table.__tablename__, table.__tablename__): len(numbers)
        for table, numbers in found.rows.items()
        if numbers
    }
    with store.transaction() as tx:
        tx.maintenance.add_audit_entry("export", account(), figures, datetime.now(UTC))
