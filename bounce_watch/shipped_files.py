"""Find the files shipped with the program: `data/` and `templates/`."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """Return a shipped folder, which is inside an installed package and beside it in a checkout."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def data_file(name: str) -> Path:
    return folder("data") / name


def templates() -> Path:
    return folder("templates")
