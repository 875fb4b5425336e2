"""The keys of the configuration file, read from the pydantic models in plain words."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import tomlkit
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bounce_watch.config.accounts import (
    FilesSettings,
    FolderSettings,
    ImapSettings,
    MaildirSettings,
    MboxSettings,
    SmtpSettings,
)
from bounce_watch.config.models import Config
from bounce_watch.config.section import Address, Place

KINDS: dict[str, dict[str, type[BaseModel]]] = {
    "source": {
        "imap": ImapSettings,
        "maildir": MaildirSettings,
        "mbox": MboxSettings,
        "files": FilesSettings,
    },
    "send": {"smtp": SmtpSettings, "folder": FolderSettings},
}

UNITS = ("seconds", "minutes", "hours", "days")
_PLAIN = {
    Address: "address",
    Place: "path",
    Path: "path",
    SecretStr: "text",
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    time: "time of day",
    str: "text",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key. `default` is TOML, None where the key must be set, empty where nothing is the default."""

    name: str
    takes: str
    default: str | None
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of the file: `title` is unique, `header` is its line in TOML."""

    title: str
    header: str
    about: str
    keys: tuple[Key, ...]
    is_required: bool


def tables() -> list[Table]:
    """Return all tables in the order in which the file has them; a table in a table follows it."""
    return [table for name, field in Config.model_fields.items() for table in _tables(name, field)]


def _tables(name: str, field: FieldInfo) -> Iterator[Table]:
    kinds = KINDS.get(name)
    several = get_origin(field.annotation) is tuple and not kinds
    models: dict[str, Any] = dict(kinds) if kinds else {"": _one(field.annotation)}
    for kind, model in models.items():
        title = f"{name} ({kind})" if kind else name
        header = f"[[{name}]]" if several else f"[{name}]"
        yield _table(title, header, model, is_required=field.is_required())
    inner = {pair: None for model in models.values() for pair in _nested(model)}
    for key, (below, is_list) in inner:
        header = f"[[{name}.{key}]]" if is_list else f"[{name}.{key}]"
        yield _table(f"{name}.{key}", header, below, is_required=False)


def _one(annotation: Any) -> Any:
    """Return the model of a table, also where there may be several."""
    return get_args(annotation)[0] if get_origin(annotation) is tuple else annotation


def _table(title: str, header: str, model: Any, *, is_required: bool) -> Table:
    nested = {key for key, _ in _nested(model)}
    hints = get_type_hints(model, include_extras=True)
    keys = [
        _key(name, field, hints[name]) for name, field in model.model_fields.items() if name not in nested
    ]
    keys.sort(key=lambda key: key.name != "type")
    about = " ".join((model.__doc__ or "").split())
    return Table(title=title, header=header, about=about, keys=tuple(keys), is_required=is_required)


def _nested(model: Any) -> Iterator[tuple[str, tuple[type[BaseModel], bool]]]:
    """Yield the keys that are tables themselves, with their model and whether there may be several."""
    for name, field in model.model_fields.items():
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield name, (inner, get_origin(field.annotation) is list)


def _key(name: str, field: FieldInfo, hint: Any) -> Key:
    is_tag = name == "type"
    about = "Says which kind is meant." if is_tag else field.description or ""
    if is_secret(hint):
        about += " See [secrets](#secrets)." if "Better" in about or "better" in about else ""
    return Key(
        name=name,
        takes=_bounded(name, _takes(hint), field),
        default=None if is_tag or field.is_required() else toml(field.default),
        about=about,
    )


def is_secret(hint: Any) -> bool:
    return SecretStr in (hint, *get_args(hint))


def _takes(hint: Any) -> str:
    """Say in words what a key takes."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _takes(inner[0])
    if origin is Literal:
        return _any_of(inner)
    if origin in {Union, types.UnionType}:
        return " or ".join(_takes(option) for option in inner if option is not type(None))
    if origin is list:
        return f"list of {_several(_takes(inner[0]))}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _any_of([member.value for member in hint])
    raise TypeError(f"the reference has no words for {hint}")


def _any_of(words: Any) -> str:
    *others, last = [f"`{toml(word)}`" for word in words]
    return f"{', '.join(others)} or {last}" if others else last


def _several(word: str) -> str:
    return {"text": "texts", "address": "addresses", "path": "paths"}.get(word, word)


def _bounded(name: str, takes: str, field: FieldInfo) -> str:
    """Add the unit that a number's name tells, and its bounds."""
    if takes not in {"number", "whole number"}:
        return takes
    unit = next((unit for unit in UNITS if name == unit or name.endswith(f"_{unit}")), takes)
    bounds = {key: getattr(limit, key) for limit in field.metadata for key in _BOUNDS if hasattr(limit, key)}
    if bounds.keys() == {"ge", "le"}:
        return f"{unit}, {bounds['ge']:,} to {bounds['le']:,}"
    return ", ".join([unit, *(f"{_BOUNDS[key]} {value:,}" for key, value in bounds.items())])


_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def toml(value: Any) -> str:
    """Return a default as it would stand in the file; empty for None."""
    if value is None or value is PydanticUndefined:
        return ""
    return str(tomlkit.item(_plain(value)).as_string())


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
