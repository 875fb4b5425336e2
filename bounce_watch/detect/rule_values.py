"""Read single values of a rule; what is wrong is named with the rule and the repair."""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from bounce_watch.detect.rule import RuleError

MOST_CHARACTERS = 300
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SPAN = re.compile(r"([1-9]\d{0,3})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

Word = TypeVar("Word", bound=StrEnum)
Table = Mapping[str, Any]


def read_flag(table: Table, where: str) -> bool:
    enabled = table.get("enabled", True)
    if not isinstance(enabled, bool):
        raise RuleError(f"{where}: enabled must be true or false")
    return enabled


def read_count(value: Any, key: str, where: str) -> int:
    if type(value) is not int or value < 1:
        raise RuleError(f"{where}: {key} must be a whole number from 1")
    return value


def read_span(value: Any, key: str, where: str) -> timedelta:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise RuleError(f"{where}: {key} {value!r} is no span such as 30m, 2h or 7d")
    return int(found[1]) * _UNITS[found[2]]


def read_name(name: Any, where: str) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise RuleError(f"{where}: playbook must be a name such as account_takeover")
    return name


def read_share(value: Any, key: str, where: str) -> float:
    if type(value) is not float or not 0 < value < 1:
        raise RuleError(f"{where}: {key} must be a probability such as 0.001")
    return value


def read_sentence(value: Any, key: str, where: str) -> str:
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS or "\n" in value:
        raise RuleError(f"{where}: {key} must be one line of at most {MOST_CHARACTERS} characters")
    return value


def read_word(words: type[Word], word: Any, what: str, where: str) -> Word:
    try:
        return words(word)
    except ValueError as error:
        raise RuleError(f"{where}: {what} {word!r} is not one of {', '.join(words)}") from error


def refuse_unknown(table: Table, known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise RuleError(f"{where}: unknown key {', '.join(unknown)}")
