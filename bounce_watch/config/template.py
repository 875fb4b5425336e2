"""Write a short configuration file: what was answered, and where everything else is explained."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Table

from bounce_watch.config.models import Config

Answers = Mapping[str, Mapping[str, Any]]
"""Section -> key -> value, such as `{"source": {"type": "imap", "host": "..."}}`."""

_HEAD = (
    "bounce_watch. Every key and its default: docs/configuration.md, or man bounce-watch.toml",
    "Test every part: bounce-watch check    Propose [trust]: bounce-watch calibrate --mailbox",
)
_NOTES = {
    ("reply", "mode"): "preview holds replies until you release them; on sends them",
    ("retention", "days"): "0 keeps bounces forever",
    ("auth", "password"): 'password_file = "password", or password_command, or a credential: docs/service.md',
    ("oauth", "client_id"): 'and client_secret_file = "client-secret", or certificate_file',
}


def render(answers: Answers) -> str:
    """Return the file's text, sections in the order of the reference."""
    document = tomlkit.document()
    for line in _HEAD:
        document.add(tomlkit.comment(line))
    for name in Config.model_fields:
        if name in answers:
            document.add(tomlkit.nl())
            document.add(name, _table(name, answers[name]))
    return document.as_string()


def _table(name: str, given: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    for key, value in given.items():
        if isinstance(value, Mapping):
            table.add(tomlkit.nl())
            table.add(key, _table(key, value))
            continue
        item = tomlkit.item(_value(value))
        if note := _NOTES.get((name, key)) or _NOTES.get((key, str(value))):
            item.comment(note)
        table.add(key, item)
    return table


def _value(value: Any) -> Any:
    if isinstance(value, Path | StrEnum):
        return str(value)
    return [_value(item) for item in value] if isinstance(value, list | tuple) else value
