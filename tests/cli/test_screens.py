"""What every command shows on the demo's store at 80, 100 and 160 columns, as committed in `screens`.

`make screens` writes them anew; look at the difference before you commit it.
"""

import re
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import chdir, closing, contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import time_machine
import typer.main
from rich.cells import cell_len

from bounce_watch.cli.app import COMMANDS, app
from tests.program import run_program

ROOT = Path(__file__).parent.parent.parent
SCREENS = Path(__file__).parent / "screens"
WIDTHS = (80, 100, 160)
NOW = datetime(2026, 11, 14, 6, 30, tzinfo=UTC)
MAILBOX = "/srv/larkfield/mailbox"
MOST_LINES = 32
FLOWS = {"domain": 60, "digest": 40, "show": 40, "explain": 40, "incidents": 80}
"""Commands of which more lines are kept."""

_ONE_LINE = re.compile(r"\$ |BOUNCE-WATCH | +[A-Z][a-z]+-[A-Z]\w+ ")
"""What is pasted or read by a program: what we typed, the line of a monitoring plugin, PowerShell."""
_CELL = re.compile(r"\S+(?: \S+)*")
_VARYING = (
    (r"catalogue [\d.]+\+\w+", "catalogue VERSION"),
    (r"store=\d+B", "store=1626112B"),
    (r"1\.\d MB", "1.6 MB"),
)
"""What differs between two plays of the week, or with each change of the catalogue."""

ASKED = """
status
history --limit 3
history --owner security --limit 2
show 1
show 9
show 67
person anna
person ana.schulte@larkfield.example
domain nordwerk.example
domain nordwrek.example
stats
top cause
top sender --limit 3
trend --since 2026-11-09 --until 2026-11-14
explain 5.7.23
explain "550 5.1.1 user unknown"
parse data/demo/002-typo.eml data/demo/021-two-recipients.eml data/demo/054-unreadable.eml
digest --date 2026-11-12
incidents
incidents show 2
rules list
rules lint
rules backtest --since 2026-11-09
templates list
addresses --dead
owners list
owners test noreply-scanner@larkfield-labs.example
outbox list --limit 3
outbox show 1
outbox breaker status
quarantine list
calibrate data/demo
privacy forget anna.schulte@larkfield.example --dry-run
db purge --before 7d --dry-run
"""


def screens(demo: Path, width: int) -> str:
    """Return every screen: the questions on the demo's store, then the help of the commands without one.

    Help never takes more than 80 columns, so it is the same on a wider screen.
    """
    asked = [line for line in ASKED.splitlines() if line]
    helped = [name for name in _commands() if not any(f"{line} ".startswith(f"{name} ") for line in asked)]
    lines = [*asked, *(f"{name} --help" for name in ["", *helped] if width == WIDTHS[0])]
    with _site(demo), time_machine.travel(NOW, tick=False):
        return "\n".join(_screen(line, width) for line in lines)


def _commands() -> Iterator[str]:
    """Yield the name of each command that has none below it."""
    root: Any = typer.main.get_command(app)
    for name in COMMANDS:
        root.load(name)
    waiting = list(reversed(root.commands.items()))
    while waiting:
        name, command = waiting.pop()
        below = getattr(command, "commands", {})
        if not below:
            yield name
        waiting += [(f"{name} {one}", each) for one, each in reversed(below.items())]


def _screen(line: str, width: int) -> str:
    line = line.strip()
    words = [str(ROOT / word) if word.startswith("data/") else word for word in shlex.split(line)]
    environ = {"TZ": "UTC", "COLUMNS": str(width), "TERM": "dumb"}
    done = run_program("-c", "config.toml", *words, environ=environ)
    text = (done.stdout + done.stderr).replace(str(ROOT), ".")
    for varying, word in _VARYING:
        text = re.sub(varying, word, text)
    kept = [row.rstrip() for row in text.strip("\n").splitlines()]
    most = FLOWS.get(words[0], MOST_LINES)
    more = [f"[{len(kept) - most} more lines]"] if len(kept) > most else []
    return "\n".join([f"$ bounce-watch {line}", *kept[:most], *more, ""])


@contextmanager
def _site(demo: Path) -> Iterator[None]:
    """Work in a copy of the demo without its path, whose length would change how lines break."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        shutil.copy(demo / "bounce-watch.db", folder)
        text = (demo / "config.toml").read_text()
        Path("config.toml").write_text(text.replace('"mailbox"', f'"{MAILBOX}"'))
        with closing(sqlite3.connect("bounce-watch.db")) as connection, connection:
            for column in ("message SET mailbox", "meta SET name"):
                name = column.split()[-1]
                call = f"UPDATE {column} = replace({name}, ?, ?)"
                connection.execute(call, (f"{demo}/mailbox", MAILBOX))
        yield


@pytest.mark.parametrize(
    "width",
    [
        pytest.param(80, marks=pytest.mark.slow),
        *(pytest.param(w, marks=pytest.mark.proof) for w in WIDTHS[1:]),
    ],
)
def test_the_screens_are_what_is_committed(demo_in_file: Path, width: int) -> None:
    now = screens(demo_in_file, width)
    assert now == (SCREENS / f"{width}.txt").read_text(encoding="utf-8"), "look, then: make screens"


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_of_a_table_is_wider_than_the_screen(width: int) -> None:
    text = (SCREENS / f"{width}.txt").read_text(encoding="utf-8")
    rules = [line for line in text.splitlines() if set(line.strip()) == {"─"}]
    assert len(rules) > 10
    assert max(map(len, rules)) <= width


def test_a_line_is_wider_than_the_screen_only_for_a_long_word_or_a_command() -> None:
    lines = (SCREENS / "80.txt").read_text(encoding="utf-8").splitlines()
    wide = [line for line in lines if cell_len(line) > 80 and not _ONE_LINE.match(line)]
    assert len(lines) > 1000
    assert not [line for line in wide if len(line.split()) > 1]


def test_no_cell_splits_a_word_that_fits() -> None:
    """What stands on a wide screen as one word is not found in two rows, one below the other."""
    words = set((SCREENS / "160.txt").read_text(encoding="utf-8").split())
    rows = (SCREENS / "80.txt").read_text(encoding="utf-8").splitlines()
    cells = [{found.start(): found[0] for found in _CELL.finditer(row)} for row in rows]
    pairs = [
        (row[at].split()[-1], below[at].split()[0])
        for row, below in pairwise(cells)
        for at in row.keys() & below.keys()
    ]
    assert len(pairs) > 500
    split = {head + rest for head, rest in pairs if head + rest in words and head not in words}
    assert not split


def _write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_program("demo", "--folder", f"{folder}/demo", "--ends", "2026-11-13", environ={"TZ": "UTC"})
        for width in WIDTHS:
            (SCREENS / f"{width}.txt").write_text(screens(Path(folder) / "demo", width), encoding="utf-8")


if __name__ == "__main__":
    _write()
