"""Read single values of a rule; a wrong value raises RuleError with the rule, the key and the fix."""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from bounce_watch.detect.rule import RuleError

MAX_SENTENCE = 300
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SPAN = re.compile(r"([1-9]\d{0,3})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

Word = TypeVar("Word", bound=StrEnum)
Table = Mapping[str, Any]


class RuleTable:
    """One table of a rules file. Each method reads one key; the default applies if the key is missing."""

    def __init__(self, values: Table, where: str) -> None:
        self.values = values
        self.where = where

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def refuse_unknown(self, known: set[str], within: str = "") -> None:
        unknown = sorted(set(self.values) - known)
        if unknown:
            raise RuleError(f"{self.where}{within}: unknown key {', '.join(unknown)}")

    def flag(self, key: str, default: bool) -> bool:
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise RuleError(f"{self.where}: {key} must be true or false")
        return value

    def count(self, key: str, default: int | None = None, *, prefix: str = "") -> int:
        value = self.values.get(key, default)
        if type(value) is not int or value < 1:
            raise RuleError(f"{self.where}: {prefix}{key} must be a whole number from 1")
        return value

    def span(self, key: str, default: timedelta | None = None) -> timedelta:
        if default is not None and key not in self.values:
            return default
        value = self.values.get(key)
        found = _SPAN.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise RuleError(f"{self.where}: {key} {value!r} is no span such as 30m, 2h or 7d")
        return int(found[1]) * _UNITS[found[2]]

    def name(self, key: str) -> str:
        value = self.values.get(key)
        if not isinstance(value, str) or not NAME.fullmatch(value):
            raise RuleError(f"{self.where}: {key} must be a name such as account_takeover")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        found = self.values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise RuleError(f"{self.where}: {key} must be a list of names")
        return tuple(found)

    def probability(self, key: str, default: float) -> float:
        value = self.values.get(key, default)
        if type(value) is not float or not 0 < value < 1:
            raise RuleError(f"{self.where}: {key} must be a probability such as 0.001")
        return value

    def sentence(self, key: str) -> str:
        value = self.values.get(key, "")
        if not isinstance(value, str) or len(value) > MAX_SENTENCE or "\n" in value:
            raise RuleError(f"{self.where}: {key} must be one line of at most {MAX_SENTENCE} characters")
        return value

    def word(self, words: type[Word], key: str) -> Word:
        return self._word(words, key, self.values.get(key))

    def words(self, words: type[Word], key: str) -> frozenset[Word]:
        return frozenset(self._word(words, key, value) for value in self.values.get(key, ()))

    def _word(self, words: type[Word], key: str, value: Any) -> Word:
        try:
            return words(value)
        except ValueError as error:
            raise RuleError(f"{self.where}: {key} {value!r} is not one of {', '.join(words)}") from error
