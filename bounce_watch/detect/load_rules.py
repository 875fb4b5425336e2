"""Load detection rules from TOML text; what is wrong in it is named with the rule and the repair."""

import re
import tomllib
from datetime import timedelta
from typing import Any

from bounce_watch.detect.rule import Condition, Facet, Minimum, Rule, RuleError, Shape, Usual
from bounce_watch.detect.rule_values import (
    NAME,
    Table,
    read_count,
    read_flag,
    read_name,
    read_sentence,
    read_share,
    read_span,
    read_word,
    refuse_unknown,
)
from bounce_watch.model import Cause, Evidence, Owner, Severity, Side

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
_MORE = {
    "id", "distinct", "also_min", "resolve_below", "reopen_within", "evidence", "inhibits", "links",
    "guidance", "enabled",
}  # fmt: skip
_LEARNING = {"learn", "learn_events", "p_open", "p_resolve", "also_window", "gap"}
_KEYS = {*_NEEDED, *_MORE, *_LEARNING}
_OF_SHAPE = {Shape.BASELINE: _LEARNING - {"gap"}, Shape.ABSENCE: {"learn", "learn_events", "gap"}}
_ABSENCE: Table = {"where": {}, "group_by": "tenant", "window": "1h", "open_at": 1}
_MINIMA = {"messages", "recipient_domains", "senders"}
_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}")


def load_rules(text: str, *site_texts: str | None) -> tuple[Rule, ...]:
    """Return the enabled rules of `data/rules.toml`, changed and extended by a site's own texts, in order.

    A site's row with a known id changes only the keys that it names; `enabled = false` switches a rule off.
    Raises RuleError that names the rule.
    """
    tables = _tables(text, "rules.toml")
    for site_text in site_texts:
        for name, table in _tables(site_text or "", "site rules").items():
            tables[name] = {**tables.get(name, {}), **table}
    enabled = {name: table for name, table in tables.items() if read_flag(table, f"rule {name}")}
    rules = tuple(_rule(table, f"rule {name}") for name, table in enabled.items())
    _refuse_strangers(rules, set(tables))
    return rules


def _tables(text: str, file: str) -> dict[str, Table]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{file} is not TOML: {error}") from error
    refuse_unknown(document, {"rule"}, file)
    tables: dict[str, Table] = {}
    for number, table in enumerate(document.get("rule", []), 1):
        name = table.get("id")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise RuleError(f"{file}, rule {number}: id must be a name such as sender_blocked")
        if name in tables:
            raise RuleError(f"{file}: the rule {name} stands twice")
        refuse_unknown(table, _KEYS, f"rule {name}")
        tables[name] = table
    return tables


def _rule(table: Table, where: str) -> Rule:
    if table.get("shape") == Shape.ABSENCE:
        table = {**_ABSENCE, **table}
    missing = [key for key in _NEEDED if key not in table]
    if missing:
        raise RuleError(f"{where}: {', '.join(missing)} missing")
    shape = read_word(Shape, table["shape"], "shape", where)
    open_at = read_count(table["open_at"], "open_at", where)
    resolve_below = read_count(table.get("resolve_below", max(1, open_at // 2)), "resolve_below", where)
    if resolve_below > open_at:
        raise RuleError(f"{where}: resolve_below {resolve_below} is above open_at {open_at}")
    rule = Rule(
        id=table["id"],
        title=str(table["title"]),
        shape=shape,
        where=_conditions(table["where"], where),
        group_by=read_word(Facet, table["group_by"], "group_by", where),
        distinct=_distinct(table.get("distinct"), shape, where),
        also_min=_minimum(table.get("also_min", {}), where),
        window=read_span(table["window"], "window", where),
        open_at=open_at,
        resolve_below=resolve_below,
        quiet_resolve=read_span(table["quiet_resolve"], "quiet_resolve", where),
        severity=read_word(Severity, table["severity"], "severity", where),
        owner=read_word(Owner, table["owner"], "owner", where),
        playbook=read_name(table["playbook"], where),
        reopen_within=read_span(table.get("reopen_within", "1d"), "reopen_within", where),
        evidence=frozenset(
            read_word(Evidence, word, "evidence", where) for word in table.get("evidence", [])
        ),
        inhibits=tuple(table.get("inhibits", ())),
        links=tuple(table.get("links", ())),
        guidance=read_sentence(table.get("guidance", ""), "guidance", where),
        usual=_usual(table, shape, where),
        gap=_gap(table.get("gap", "auto"), where),
    )
    _refuse_unfit(rule, where)
    return rule


def _usual(table: Table, shape: Shape, where: str) -> Usual:
    strangers = sorted((_LEARNING & set(table)) - _OF_SHAPE.get(shape, set()))
    if strangers:
        raise RuleError(f"{where}: {', '.join(strangers)} does not belong to the shape {shape}")
    usual, more = Usual(), table.get("also_window")
    return Usual(
        learn=read_span(table["learn"], "learn", where) if "learn" in table else usual.learn,
        events=read_count(table.get("learn_events", usual.events), "learn_events", where),
        p_open=read_share(table.get("p_open", usual.p_open), "p_open", where),
        p_resolve=read_share(table.get("p_resolve", usual.p_resolve), "p_resolve", where),
        also_window=None if more is None else read_span(more, "also_window", where),
    )


def _gap(word: Any, where: str) -> timedelta | None:
    return None if word == "auto" else read_span(word, "gap", where)


def _refuse_unfit(rule: Rule, where: str) -> None:
    """Refuse what a shape cannot do, and forged mail that would silence or frighten anybody."""
    if rule.shape is Shape.BASELINE:
        if rule.group_by not in (Facet.CAUSE, Facet.TENANT) or any(c.codes or c.side for c in rule.where):
            raise RuleError(f"{where}: a baseline is grouped by cause or tenant and looks at causes only")
        if rule.usual.p_resolve < rule.usual.p_open:
            raise RuleError(f"{where}: p_resolve must not be below p_open")
    doubtful = rule.evidence & {Evidence.UNVERIFIED, Evidence.CONTRADICTORY}
    if doubtful and (rule.inhibits or rule.guidance or rule.severity in (Severity.CRITICAL, Severity.HIGH)):
        raise RuleError(
            f"{where}: {', '.join(sorted(doubtful))} reports can be forged: such a rule inhibits nothing, "
            "guides nobody and is at most of medium severity"
        )


def _conditions(where_any: Any, where: str) -> tuple[Condition, ...]:
    tables = where_any if isinstance(where_any, list) else [where_any]
    return tuple(_condition(table, where) for table in tables)


def _condition(table: Table, where: str) -> Condition:
    refuse_unknown(table, {"cause", "except_cause", "code", "side"}, f"{where}, where")
    codes = table.get("code", [])
    wrong = [code for code in codes if not _STATUS.fullmatch(code)]
    if wrong:
        raise RuleError(f"{where}: {wrong[0]!r} is no status such as 5.1.8")
    return Condition(
        causes=frozenset(read_word(Cause, word, "cause", where) for word in table.get("cause", [])),
        except_causes=frozenset(
            read_word(Cause, word, "except_cause", where) for word in table.get("except_cause", [])
        ),
        codes=frozenset(codes),
        side=read_word(Side, table["side"], "side", where) if "side" in table else None,
    )


def _distinct(word: str | None, shape: Shape, where: str) -> Facet | None:
    if (word is None) is (shape is Shape.DISTINCT):
        raise RuleError(f"{where}: distinct belongs to the shape distinct, and only there")
    return None if word is None else read_word(Facet, word, "distinct", where)


def _minimum(table: Table, where: str) -> Minimum:
    refuse_unknown(table, _MINIMA, f"{where}, also_min")
    return Minimum(**{name: read_count(value, f"also_min.{name}", where) for name, value in table.items()})


def _refuse_strangers(rules: tuple[Rule, ...], known: set[str]) -> None:
    """Refuse names of rules that no file has; one that is only switched off may be named."""
    for rule in rules:
        strangers = sorted({*rule.inhibits, *rule.links} - known)
        if strangers:
            raise RuleError(f"rule {rule.id}: there is no rule {', '.join(strangers)}")
