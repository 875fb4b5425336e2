"""`explain --lines`: many replies at once, pasted from a log or a trace export."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import typer

from bounce_watch.classify import Catalogue, judge_reply
from bounce_watch.cli.common.output import Column, Form, emit
from bounce_watch.model import Cause, Owner, Side
from bounce_watch.notifications.rendering.labels import CAUSES, OWNERS

_COLUMNS = (
    Column("id", "Id"),
    Column("cause", "Cause", show=lambda row: CAUSES[Cause(row["cause"])]),
    Column("owner", "Owner", show=lambda row: OWNERS[Owner(row["owner"])]),
    Column("certainty", "Certainty"),
    Column("why", "Matched on", flexible=True),
)


def explain_lines(path: Path, catalogue: Catalogue, form: Form) -> None:
    """Judge each line of a file, or of standard input for `-`."""
    with _open(path) as lines:
        emit(_rows(lines, catalogue), _COLUMNS, form, empty="No replies in there.")


def _open(path: Path) -> BinaryIO:
    if str(path) == "-":
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}", param_hint="--lines") from error


def _rows(lines: Iterable[bytes], catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    for number, raw in enumerate(lines, 1):
        line = raw.decode("utf-8-sig", errors="replace").strip()
        if line:
            yield _row(_read(line, number), catalogue)


def _read(line: str, number: int) -> dict[str, Any]:
    """Return the object in a line; a plain reply takes the number of its line as `id`."""
    try:
        value = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return {"id": str(number), "reply": line}
    if not isinstance(value.get("reply"), str):
        raise typer.BadParameter(f"line {number} has no text in its key 'reply'.", param_hint="--lines")
    if value.get("side") not in (None, *Side):
        raise typer.BadParameter(f"line {number}: side is neither 'ours' nor 'theirs'.", param_hint="--lines")
    return {"id": str(number), **value}


def _row(asked: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    side, host = asked.get("side"), asked.get("remote_mta")
    remote_mta = host if isinstance(host, str) else None
    judged = judge_reply(asked["reply"], catalogue, Side(side) if side else None, remote_mta)
    found = judged.judgement
    return {
        "id": asked["id"],
        "cause": found.cause.value,
        "owner": found.owner.value,
        "persistence": judged.persistence.value,
        "side": judged.side.value if judged.side else None,
        "certainty": found.certainty.value if found.certainty else None,
        "entry": found.entry,
        "why": found.why,
    }
