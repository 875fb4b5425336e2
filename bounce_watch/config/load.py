"""Find and read the configuration file; explain what is wrong with it."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from platformdirs import user_config_path
from pydantic import BaseModel, ValidationError

from bounce_watch.config.models import Config
from bounce_watch.config.secrets import holds_literal_secret
from bounce_watch.model.errors import RepairableError

SYSTEM_PATH = Path("/etc/bounce-watch/config.toml")
VARIABLE = "BOUNCE_WATCH_CONFIG"


class ConfigError(RepairableError):
    """The configuration is missing or wrong: `problems` has a sentence for each fault."""

    def __init__(self, problems: list[str], repair: str = "") -> None:
        super().__init__("\n".join(problems), repair)
        self.problems = problems


def candidates(explicit: Path | None, environ: Mapping[str, str]) -> list[Path]:
    """Return the possible paths of the file, in order; an explicit path is the only one."""
    if explicit:
        return [explicit]
    if environ.get(VARIABLE):
        return [Path(environ[VARIABLE])]
    return [user_config_path("bounce-watch") / "config.toml", SYSTEM_PATH]


def find_config(explicit: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the first configuration file that exists, None for none."""
    return next((path for path in candidates(explicit, environ) if path.is_file()), None)


def load_config(explicit: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration. Raises ConfigError; relative paths in it start at the file's folder."""
    path = find_config(explicit, environ)
    if path is None:
        looked = ", ".join(str(place) for place in candidates(explicit, environ))
        raise ConfigError(
            [f"no configuration file was found (looked at {looked})"], "write one: bounce-watch init"
        )
    return load_config_at(path, path)


def load_config_at(path: Path, named: Path) -> Config:
    """Read the file at `path`; relative paths start at the folder of `named`. Raises ConfigError, OSError."""
    config = read_config(path.read_bytes(), named)
    if holds_literal_secret(config) and path.stat().st_mode & 0o077:
        raise ConfigError([f"{path} holds a password and others may read it"], f"chmod 600 '{path}'")
    return config


def load_optional_config(explicit: Path | None) -> Config | None:
    """Read the configuration; None if none was named and the usual places hold no usable one."""
    try:
        return load_config(explicit)
    except ConfigError:
        if explicit:
            raise
        return None


def read_config(content: bytes, path: Path) -> Config:
    """Turn the file's content into a Config; `[organization]` means `[organisation]`. Raises ConfigError."""
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{path} is not valid TOML: {error}"], "edit the line it names") from None
    if "organization" in table and "organisation" not in table:
        table["organisation"] = table.pop("organization")
    try:
        return Config.model_validate(table, context={"folder": path.parent})
    except ValidationError as error:
        raise ConfigError(list(_sentences(error, table)), f"edit {path}") from None


def _sentences(error: ValidationError, table: Mapping[str, Any]) -> Iterator[str]:
    has_one = isinstance(table.get("source"), dict)
    for fault in error.errors(include_url=False, include_input=False):
        place = [str(word) for word in fault["loc"] if word not in _TAGS]
        if has_one and place[:2] == ["source", "0"]:
            del place[1]
        yield _sentence(fault["type"], place, fault["loc"], fault["msg"])


def _sentence(kind: str, place: list[str], location: tuple[int | str, ...], message: str) -> str:
    name = ".".join(place) or "the file"
    if kind == "extra_forbidden":
        return f"unknown key {name}{_suggestion(location)}"
    if kind == "missing":
        return f"{name} is missing"
    return f"{name}: {message.removeprefix('Value error, ')}"


_TAGS = frozenset({"imap", "maildir", "mbox", "files", "smtp", "folder"})


def _suggestion(location: tuple[int | str, ...]) -> str:
    """Return `; did you mean X?` for the nearest existing key in the same table."""
    models: list[type[BaseModel]] = [Config]
    for word in location[:-1]:
        if isinstance(word, str):
            models = [found for model in models for found in _below(model, word)]
    known = [key for model in models for key in model.model_fields]
    nearest = get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    return f"; did you mean {nearest[0]}?" if nearest else f"; known are: {', '.join(known)}" if known else ""


def _below(model: type[BaseModel], word: str) -> list[type[BaseModel]]:
    """Follow one part of an error's location: the tag of a union, or a field."""
    kind, field = model.model_fields.get("type"), model.model_fields.get(word)
    if kind is not None and kind.default == word:
        return [model]
    return list(_models(field.annotation)) if field else []


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
