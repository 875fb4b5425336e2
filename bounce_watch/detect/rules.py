"""Load detection rules from TOML text; what is wrong in it is named with the rule and the repair."""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from bounce_watch.detect.rule import Condition, Facet, Minimum, Rule, RuleError, Shape
from bounce_watch.model import Cause, Owner, Severity, Side

_KEYS = {
    "id", "title", "shape", "where", "group_by", "distinct", "also_min", "window", "open_at", "resolve_below",
    "quiet_resolve", "severity", "owner", "playbook", "inhibits", "links", "enabled",
}  # fmt: skip
_NEEDED = (
    "title",
    "shape",
    "where",
    "group_by",
    "window",
    "open_at",
    "quiet_resolve",
    "severity",
    "owner",
    "playbook",
)
_MINIMA = {"messages", "recipient_domains", "senders"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SPAN = re.compile(r"([1-9]\d{0,3})([mhd])")
_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

Word = TypeVar("Word", bound=StrEnum)
Table = Mapping[str, Any]


def load_rules(text: str, site_text: str | None = None) -> tuple[Rule, ...]:
    """Return the enabled rules of `data/rules.toml`, changed and extended by a site's own file.

    A site's row with a known id changes only the keys that it names; `enabled = false` switches a rule off.
    Raises RuleError that names the rule.
    """
    tables = _tables(text, "rules.toml")
    if site_text is not None:
        for name, table in _tables(site_text, "site rules").items():
            tables[name] = {**tables.get(name, {}), **table}
    enabled = {name: table for name, table in tables.items() if _flag(table, f"rule {name}")}
    rules = tuple(_rule(table, f"rule {name}") for name, table in enabled.items())
    _refuse_strangers(rules, set(tables))
    return rules


def _tables(text: str, file: str) -> dict[str, Table]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{file} is not TOML: {error}") from error
    _refuse_unknown(document, {"rule"}, file)
    tables: dict[str, Table] = {}
    for number, table in enumerate(document.get("rule", []), 1):
        name = table.get("id")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise RuleError(f"{file}, rule {number}: id must be a name such as sender_blocked")
        if name in tables:
            raise RuleError(f"{file}: the rule {name} stands twice")
        _refuse_unknown(table, _KEYS, f"rule {name}")
        tables[name] = table
    return tables


def _rule(table: Table, where: str) -> Rule:
    missing = [key for key in _NEEDED if key not in table]
    if missing:
        raise RuleError(f"{where}: {', '.join(missing)} missing")
    shape = _word(Shape, table["shape"], "shape", where)
    open_at = _count(table["open_at"], "open_at", where)
    resolve_below = _count(table.get("resolve_below", max(1, open_at // 2)), "resolve_below", where)
    if resolve_below > open_at:
        raise RuleError(f"{where}: resolve_below {resolve_below} is above open_at {open_at}")
    return Rule(
        id=table["id"],
        title=str(table["title"]),
        shape=shape,
        where=_conditions(table["where"], where),
        group_by=_word(Facet, table["group_by"], "group_by", where),
        distinct=_distinct(table.get("distinct"), shape, where),
        also_min=_minimum(table.get("also_min", {}), where),
        window=_span(table["window"], "window", where),
        open_at=open_at,
        resolve_below=resolve_below,
        quiet_resolve=_span(table["quiet_resolve"], "quiet_resolve", where),
        severity=_word(Severity, table["severity"], "severity", where),
        owner=_word(Owner, table["owner"], "owner", where),
        playbook=_playbook(table["playbook"], where),
        inhibits=tuple(table.get("inhibits", ())),
        links=tuple(table.get("links", ())),
    )


def _conditions(where_any: Any, where: str) -> tuple[Condition, ...]:
    tables = where_any if isinstance(where_any, list) else [where_any]
    return tuple(_condition(table, where) for table in tables)


def _condition(table: Table, where: str) -> Condition:
    _refuse_unknown(table, {"cause", "code", "side"}, f"{where}, where")
    codes = table.get("code", [])
    wrong = [code for code in codes if not _STATUS.fullmatch(code)]
    if wrong:
        raise RuleError(f"{where}: {wrong[0]!r} is no status such as 5.1.8")
    return Condition(
        causes=frozenset(_word(Cause, word, "cause", where) for word in table.get("cause", [])),
        codes=frozenset(codes),
        side=_word(Side, table["side"], "side", where) if "side" in table else None,
    )


def _distinct(word: str | None, shape: Shape, where: str) -> Facet | None:
    if (word is None) is (shape is Shape.DISTINCT):
        raise RuleError(f"{where}: distinct belongs to the shape distinct, and only there")
    return None if word is None else _word(Facet, word, "distinct", where)


def _minimum(table: Table, where: str) -> Minimum:
    _refuse_unknown(table, _MINIMA, f"{where}, also_min")
    return Minimum(**{name: _count(value, f"also_min.{name}", where) for name, value in table.items()})


def _flag(table: Table, where: str) -> bool:
    enabled = table.get("enabled", True)
    if not isinstance(enabled, bool):
        raise RuleError(f"{where}: enabled must be true or false")
    return enabled


def _count(value: Any, key: str, where: str) -> int:
    if type(value) is not int or value < 1:
        raise RuleError(f"{where}: {key} must be a whole number from 1")
    return value


def _span(value: Any, key: str, where: str) -> timedelta:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise RuleError(f"{where}: {key} {value!r} is no span such as 30m, 2h or 7d")
    return int(found[1]) * _UNITS[found[2]]


def _playbook(name: Any, where: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RuleError(f"{where}: playbook must be a name such as account_takeover")
    return name


def _word(words: type[Word], word: Any, what: str, where: str) -> Word:
    try:
        return words(word)
    except ValueError as error:
        raise RuleError(f"{where}: {what} {word!r} is not one of {', '.join(words)}") from error


def _refuse_unknown(table: Table, known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise RuleError(f"{where}: unknown key {', '.join(unknown)}")


def _refuse_strangers(rules: tuple[Rule, ...], known: set[str]) -> None:
    """Refuse names of rules that no file has; one that is only switched off may be named."""
    for rule in rules:
        strangers = sorted({*rule.inhibits, *rule.links} - known)
        if strangers:
            raise RuleError(f"rule {rule.id}: there is no rule {', '.join(strangers)}")
