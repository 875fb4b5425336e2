"""`privacy`: what is stored about one person, to hand out with `export` or to `forget`."""

import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any
from zipfile import ZIP_DEFLATED, ZipFile

import typer

from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import change_store
from bounce_watch.cli.common.output import Column, Form, emit, emit_json, json_default, say
from bounce_watch.cli.common.progress import waiting
from bounce_watch.cli.common.when import account
from bounce_watch.cli.privacy.forget import Address, forget, read_person
from bounce_watch.store import Store
from bounce_watch.store.privacy.columns import Found
from bounce_watch.store.privacy.identity import PersonIdentity
from bounce_watch.store.privacy.search import NAMES

privacy = typer.Typer(help="Export or forget one person's data.", no_args_is_help=True)
Row = dict[str, Any]
DOCUMENT, MAILS = "data.json", "mails"
_LIST_END = "\n  ]"

# By table: the name of the section in the document, and what stands in it.
_SECTIONS = {
    "bounce": ("bounces", "mails that came back to them, or that did not reach them"),
    "report": ("reports", "reports that name them"),
    "outgoing": ("mails", "our mails to them, and lines of others that name them"),
    "withheld": ("mails_not_written", "mails that we decided not to write to them"),
    "incident": ("incidents", "incidents that they are a part of"),
    "incident_change": ("incident_history", "lines of incidents' history that name them"),
    "quarantined": ("unreadable_mails", "unreadable mails that name them, without the bytes"),
    "message": ("remarks", "remarks about mails that name them"),
    "dns_finding": ("dns_findings", "records in DNS that name them"),
    "audit": ("audit", "lines of the audit that name them"),
}


@privacy.command()
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
    person = read_person(address)
    with change_store(context.obj) as store:
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


privacy.command()(forget)


def _print(found: Found) -> None:
    rows = [{"count": found.count(table), "what": what} for table, (_, what) in _SECTIONS.items()]
    columns = [Column("count", "Rows", right=True), Column("what", "What", flexible=True)]
    emit([row for row in rows if row["count"]], columns, Form.TABLE)
    say("Add --out PATH (a .json or .zip file, or a folder) to write it, --json to print it.")


def _write(store: Store, person: PersonIdentity, found: Found, out: Path) -> None:
    head = {"address": person.key, "made_at": datetime.now(UTC), "sections": dict(_SECTIONS.values())}
    rows = store.privacy.export(person, found)
    try:
        with waiting("Writing"):
            if out.suffix == ".json":
                with _closed_file(out) as raw, _as_text(raw) as text:
                    _write_document(text, head, rows)
            else:
                write = _write_zip if out.suffix == ".zip" else _write_folder
                write(out, store, head, rows)
    except FileExistsError:
        raise typer.BadParameter(f"{out} exists already; choose another name", param_hint="--out") from None
    except OSError as error:
        raise typer.BadParameter(f"{out}: {error.strerror}", param_hint="--out") from None
    _note(store, found)
    say(f"{out}: readable for you alone. Hand it to nobody but {person.key}, and delete it then.")


def _note(store: Store, found: Found) -> None:
    figures: dict[str, int | str] = {
        NAMES.get(table.__tablename__, table.__tablename__): len(numbers)
        for table, numbers in found.rows.items()
        if numbers
    }
    with store.transaction() as tx:
        tx.maintenance.add_audit_entry("export", account(), figures, datetime.now(UTC))


def _write_document(out: IO[str], head: Row, rows: Iterable[tuple[str, Row]]) -> None:
    """Write one indented JSON document row by row, with a list for each section."""
    out.write("{\n")
    out.write(",\n".join(f"  {_json(name)}: {_json(value)}" for name, value in head.items()))
    section: str | None = None
    for name, row in rows:
        if name != section:
            out.write(f"{'' if section is None else _LIST_END},\n  {_json(name)}: [\n    {_json(row, 4)}")
        else:
            out.write(f",\n    {_json(row, 4)}")
        section = name
    out.write(f"{'' if section is None else _LIST_END}\n}}\n")


def _json(value: object, indent: int = 2) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2, default=json_default)
    return text.replace("\n", "\n" + " " * indent)


@contextmanager
def _closed_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that only its owner can read. Raises FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        yield out


def _with_files(
    store: Store, rows: Iterable[tuple[str, Row]], keep: Callable[[str, bytes], None]
) -> Iterator[tuple[str, Row]]:
    """Yield the rows; pass each message to the person to `keep`, and name its file in the row."""
    for name, row in rows:
        if name == "mails" and row.get("text") is not None and (content := store.outbox.show(row["id"])[1]):
            row = {**row, "file": f"{MAILS}/{row['id']:06}.eml"}  # noqa: PLW2901
            keep(row["file"], content)
        yield name, row


def _write_folder(folder: Path, store: Store, head: Row, rows: Iterable[tuple[str, Row]]) -> None:
    """Write the document and the messages into a new folder that only its owner can enter."""
    folder.mkdir(mode=0o700, parents=True)
    (folder / MAILS).mkdir(mode=0o700)

    def keep(name: str, content: bytes) -> None:
        with _closed_file(folder / name) as out:
            out.write(content)

    with _closed_file(folder / DOCUMENT) as raw, _as_text(raw) as out:
        _write_document(out, head, _with_files(store, rows, keep))


def _write_zip(path: Path, store: Store, head: Row, rows: Iterable[tuple[str, Row]]) -> None:
    """Write the document and the messages into a new archive that only its owner can read."""
    numbers: list[str] = []
    with _closed_file(path) as raw, ZipFile(raw, "w", ZIP_DEFLATED) as archive:
        noted = _with_files(store, rows, lambda name, _content: numbers.append(name))
        with archive.open(DOCUMENT, "w", force_zip64=True) as member, _as_text(member) as out:
            _write_document(out, head, noted)
        for name in numbers:  # an archive takes one member at a time
            archive.writestr(name, store.outbox.show(int(Path(name).stem))[1])


@contextmanager
def _as_text(raw: IO[bytes]) -> Iterator[IO[str]]:
    out = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
    yield out
    out.flush()
    out.detach()
