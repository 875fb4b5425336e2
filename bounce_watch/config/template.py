"""Generate a commented configuration file from the models: every key, its meaning and its default."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import tomlkit
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from tomlkit.items import Table

from bounce_watch.config.accounts import (
    FilesSettings,
    FolderSettings,
    ImapSettings,
    MaildirSettings,
    MboxSettings,
    OAuth,
    SmtpSettings,
)
from bounce_watch.config.models import Config

KINDS: dict[str, dict[str, type[BaseModel]]] = {
    "source": {
        "imap": ImapSettings,
        "maildir": MaildirSettings,
        "mbox": MboxSettings,
        "files": FilesSettings,
    },
    "send": {"smtp": SmtpSettings, "folder": FolderSettings},
}

Answers = Mapping[str, Mapping[str, Any]]
"""Section -> key -> value, such as `{"source": {"type": "imap", "host": "..."}}`."""


def render(answers: Answers) -> str:
    """Return the file's text. Keys without an answer become comments with their default."""
    document = tomlkit.document()
    document.add(tomlkit.comment("bounce_watch configuration. Lines that begin with # show defaults."))
    document.add(tomlkit.comment("`bounce-watch check` tells whether every part of it works."))
    for name, field in Config.model_fields.items():
        model = _model_of(name, field, answers)
        document.add(tomlkit.nl())
        document.add(name, _table(model, answers.get(name, {})))
    return document.as_string()


def _model_of(name: str, field: FieldInfo, answers: Answers) -> type[BaseModel]:
    if name in KINDS:
        return KINDS[name][str(answers.get(name, {}).get("type"))]
    if not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
        raise TypeError(f"section {name} has no single model")
    return field.annotation


def _table(model: type[BaseModel], given: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    table.comment((model.__doc__ or "").strip().splitlines()[0])
    for key, field in sorted(model.model_fields.items(), key=lambda item: item[0] != "type"):
        if key == "oauth":
            continue
        if field.description:
            table.add(tomlkit.comment(field.description + _choices(field)))
        if key in given:
            table.add(key, _value(given[key]))
        else:
            table.add(tomlkit.comment(f"{key} = {_default(field)}"))
    if given.get("oauth"):
        table.add(tomlkit.nl())
        table.add("oauth", _table(OAuth, given["oauth"]))
    return table


def _choices(field: FieldInfo) -> str:
    words = [word for word in get_args(field.annotation) if isinstance(word, str)]
    return f" One of: {', '.join(words)}." if len(words) > 1 else ""


def _default(field: FieldInfo) -> str:
    if field.default is None or field.default is PydanticUndefined:
        return '""'
    return str(tomlkit.item(_value(field.default)).as_string())


def _value(value: Any) -> Any:
    if isinstance(value, Path | StrEnum):
        return str(value)
    return [_value(item) for item in value] if isinstance(value, list | tuple) else value
