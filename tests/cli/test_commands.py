"""The table of commands: what the program's help says, and that only the called command is imported."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest
import typer.main

from bounce_watch.cli.app import COMMANDS, MOVED, app

_IMPORTED = """
import sys
from bounce_watch.cli import main
try:
    main()
except SystemExit:
    print(*sorted(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    root: Any = typer.main.get_command(app)
    listed = root.commands[name]
    root.load(name)
    loaded = root.commands[name]
    assert loaded is not listed
    assert loaded.name == name
    assert loaded.get_short_help_str(200) == listed.get_short_help_str(200) == COMMANDS[name].help


def test_the_programs_help_imports_no_command() -> None:
    call = [sys.executable, "-c", _IMPORTED, "--help"]
    done = subprocess.run(call, check=True, capture_output=True, text=True)
    assert all(name in done.stdout for name in COMMANDS)
    imported = set(done.stderr.split())
    assert not imported & {"sqlalchemy", "jinja2", "rich", "pydantic", "structlog"}
    assert not {name for name in imported if name.startswith("bounce_watch.cli.")} - {"bounce_watch.cli.app"}


def test_the_help_has_groups_and_no_summary_is_cut_at_80_columns() -> None:
    assert all(len(listed.help) <= 58 for listed in COMMANDS.values())
    done = subprocess.run(
        [sys.executable, "-m", "bounce_watch", "--help"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert "..." not in done.stdout.partition("Set up:")[2]
    places = [
        done.stdout.index(f"\n{group}:\n") for group in ("Set up", "Run", "Ask", "Incidents", "Mail", "Care")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(("former", "place"), MOVED.items())
def test_a_former_name_works_and_says_where_it_went(former: str, place: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bounce_watch", former, "--help"], check=True, capture_output=True, text=True
    )
    assert f"{former} is now: bounce-watch {' '.join(place)}" in done.stderr
    assert "Usage:" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_neither_types_nor_bounds_of_python(name: str) -> None:
    root: Any = typer.main.get_command(app)
    root.load(name)
    waiting = [root.commands[name]]
    while waiting:
        command = waiting.pop()
        text = command.get_help(typer.Context(command, info_name=command.name))
        assert "Usage: " in text
        assert not re.search(r"<\w+( range)?>|list\[|x[<>]|INTEGER|[{}]", text), text
        waiting += getattr(command, "commands", {}).values()
