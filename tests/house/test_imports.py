"""Imports point one way, and each foreign library has one door."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "bounce_watch"
EDGES = {"cli", "config", "daemon", "net", "pipeline", "send", "shipped_files", "source", "store", "testing"}


def imports(path: Path) -> Iterator[str]:
    """Yield the whole names of the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imported_by_file() -> dict[str, set[str]]:
    """Return by file of the package the first names of what it imports."""
    files = PACKAGE.rglob("*.py")
    return {str(path.relative_to(PACKAGE)): {name.split(".")[0] for name in imports(path)} for path in files}


def users_of(library: str) -> set[str]:
    """Return the files, by name in the package, that import a library."""
    return {file for file, libraries in imported_by_file().items() if library in libraries}


@pytest.mark.slow
def test_the_layers_and_the_pure_core_hold() -> None:
    """The contracts of pyproject.toml: layers, a core without I/O, a model of the standard library only."""
    program = Path(sys.executable).with_name("lint-imports")
    assert program.exists() or shutil.which("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "library", ["fast_mail_parser", "mailparser", "jinja2", "imapclient", "css_inline", "msal"]
)
def test_a_library_at_the_edge_has_one_door(library: str) -> None:
    """What could be replaced one day is known to one room only."""
    assert len({name.split("/")[0] for name in users_of(library)}) <= 1


@pytest.mark.parametrize("library", ["fast_mail_parser", "mailparser"])
def test_a_mail_reader_is_known_to_one_module(library: str) -> None:
    """The MIME tree and the decoding each stand behind one module, so that either can fall back."""
    assert len(users_of(library)) <= 1


def test_the_core_asks_for_neither_clock_nor_environment() -> None:
    """`now` is an argument, files are read at the edge: a decision can be repeated."""
    forbidden = {"datetime.now", "datetime.utcnow", "time.time", "os.environ", "date.today"}
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in PACKAGE.rglob("*.py")
        if room(path) not in EDGES
        for name in _attributes(path)
        if name in forbidden
    ]
    assert found == []


def _attributes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
