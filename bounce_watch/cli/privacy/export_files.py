"""What one person gets: a JSON document, written row by row, and the mails to them as files."""

import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from bounce_watch.cli.common.output import plain
from bounce_watch.store import Store

Row = dict[str, Any]
DOCUMENT, MAILS = "data.json", "mails"


def write_document(out: IO[str], head: Row, rows: Iterable[tuple[str, Row]]) -> dict[str, int]:
    """Write one readable JSON document; return how many rows each section has."""
    counts: dict[str, int] = {}
    out.write("{\n")
    out.write(",\n".join(f"  {_json(name)}: {_json(value)}" for name, value in head.items()))
    section: str | None = None
    for name, row in rows:
        if name != section:
            out.write(f"{'' if section is None else _end()},\n  {_json(name)}: [\n    {_json(row, 4)}")
        else:
            out.write(f",\n    {_json(row, 4)}")
        section, counts[name] = name, counts.get(name, 0) + 1
    out.write(f"{'' if section is None else _end()}\n}}\n")
    return counts


def _end() -> str:
    return "\n  ]"


def _json(value: object, indent: int = 2) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2, default=plain)
    return text.replace("\n", "\n" + " " * indent)


@contextmanager
def closed_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that only its owner can read. Raises FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        yield out


def with_files(
    store: Store, rows: Iterable[tuple[str, Row]], keep: Callable[[str, bytes], None]
) -> Iterator[tuple[str, Row]]:
    """Yield the rows; of each mail to the person give its bytes to `keep`, and name the file in the row."""
    for name, row in rows:
        if name == "mails" and row.get("text") is not None and (content := store.outbox.show(row["id"])[1]):
            row = {**row, "file": f"{MAILS}/{row['id']:06}.eml"}  # noqa: PLW2901
            keep(row["file"], content)
        yield name, row


def write_folder(folder: Path, store: Store, head: Row, rows: Iterable[tuple[str, Row]]) -> dict[str, int]:
    """Write the document and the mails into a new folder that only its owner can enter."""
    folder.mkdir(mode=0o700, parents=True)
    (folder / MAILS).mkdir(mode=0o700)

    def keep(name: str, content: bytes) -> None:
        with closed_file(folder / name) as out:
            out.write(content)

    with closed_file(folder / DOCUMENT) as raw, as_text(raw) as out:
        return write_document(out, head, with_files(store, rows, keep))


def write_zip(path: Path, store: Store, head: Row, rows: Iterable[tuple[str, Row]]) -> dict[str, int]:
    """Write the document and the mails into a new archive that only its owner can read."""
    numbers: list[str] = []
    with closed_file(path) as raw, ZipFile(raw, "w", ZIP_DEFLATED) as archive:
        noted = with_files(store, rows, lambda name, _content: numbers.append(name))
        with archive.open(DOCUMENT, "w", force_zip64=True) as member, as_text(member) as out:
            counts = write_document(out, head, noted)
        for name in numbers:  # an archive takes one member at a time
            archive.writestr(name, store.outbox.show(int(Path(name).stem))[1])
    return counts


@contextmanager
def as_text(raw: IO[bytes]) -> Iterator[IO[str]]:
    out = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
    yield out
    out.flush()
    out.detach()
