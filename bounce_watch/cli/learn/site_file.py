"""The site's own file of codes: add a taught row and its test case, keep comments, order and mode."""

import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from bounce_watch.classify.learning.cases import Case
from bounce_watch.cli.common.pages import write_privately
from bounce_watch.config.load import ConfigError
from bounce_watch.config.models import Config

_HEAD = "# Rows that this site taught: docs/teaching.md. `bounce-watch teach` adds to them.\n"


def site_file(config: Config) -> Path:
    """Return the site's own file of codes. Raises ConfigError if none is configured, or it is a link."""
    path = config.overrides.codes
    if path is None:
        raise ConfigError(
            ["no file holds this site's own codes yet"],
            'add to the configuration: [overrides] and below it codes = "codes.toml"',
        )
    if path.is_symlink():
        raise ConfigError([f"{path} is a link, and links are not followed"], "name the file itself")
    return path


def read_site(path: Path) -> str:
    """Return what the file says, nothing for a new one."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def with_row(text: str, row: Mapping[str, Any], case: Case | None = None) -> str:
    """Return the file with a row, and with a test case; an earlier one of the same words is replaced."""
    text = _with_table(text or _HEAD, "code", row, ("code", "variant"))
    return _with_table(text, "case", case_table(case), ("reply",)) if case else text


def new_row(row: Mapping[str, Any], case: Case | None = None) -> str:
    """Return a row, and a case, as they stand in the file."""
    return with_row("#", row, case).removeprefix("#").lstrip()


def case_table(case: Case) -> dict[str, Any]:
    """Return a case as a table of the file."""
    (cause,) = case.causes
    values = {
        "name": case.name,
        "reply": case.reply,
        "cause": cause.value,
        "owner": case.owner,
        "side": case.side,
        "remote_mta": case.remote_mta,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _with_table(text: str, name: str, row: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """Add a table at the end, so that all else stays byte for byte, or replace that with equal keys."""
    for place, known in enumerate(tomllib.loads(text).get(name, [])):
        if all(known.get(key) == row.get(key) for key in keys):
            document: Any = tomlkit.parse(text)
            document[name][place].clear()
            document[name][place].update(row)
            return tomlkit.dumps(document)
    added = tomlkit.aot()
    added.append(tomlkit.item(dict(row)))
    return f"{text.rstrip()}\n\n{tomlkit.dumps({name: added})}"


def write_site(path: Path, text: str) -> None:
    """Replace the file at once; its mode stays, a new one is readable for its owner alone."""
    mode = stat.S_IMODE(path.lstat().st_mode) if path.exists() else 0o600
    write_privately(path, text, mode)
