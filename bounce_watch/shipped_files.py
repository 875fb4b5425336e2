"""Find the files shipped with the program: `data/` and `templates/`."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CATALOGUE = ("codes.toml", "words.toml", "statements.toml", "providers.toml")


def folder(name: str) -> Path:
    """Return a shipped folder, which is inside an installed package and beside it in a checkout."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def data_file(name: str) -> Path:
    return folder("data") / name


def catalogue_text() -> str:
    """Return the knowledge about refusals: codes, words, statements and providers, as one TOML document."""
    return "\n".join(data_file(name).read_text(encoding="utf-8") for name in _CATALOGUE)


def goldens_text() -> str:
    """Return replies and the causes that are right for them, one a line."""
    return data_file("replies.txt").read_text(encoding="utf-8")


def templates() -> Path:
    return folder("templates")
