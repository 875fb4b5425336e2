"""Load detection rules from TOML text; RuleError names the rule and the fix."""

import re
import tomllib
from datetime import timedelta

from bounce_watch.detect.rule import Condition, Facet, Minimum, Rule, RuleError, Shape, Usual
from bounce_watch.detect.rule_table import NAME, RuleTable, Table
from bounce_watch.model import Cause, Certainty, Evidence, Owner, Severity, Side

_NEEDED = (
    *("title", "shape", "where", "group_by", "window", "open_at", "quiet_resolve"),
    *("severity", "owner", "playbook"),
)
_OPTIONAL = {
    *("id", "distinct", "also_min", "resolve_below", "reopen_within", "evidence", "inhibits", "links"),
    *("guidance", "enabled"),
}
_LEARNING = {"learn", "learn_events", "p_open", "p_resolve", "also_window", "gap"}
_KEYS = {*_NEEDED, *_OPTIONAL, *_LEARNING}
_LEARNING_OF_SHAPE = {Shape.BASELINE: _LEARNING - {"gap"}, Shape.ABSENCE: {"learn", "learn_events", "gap"}}
_ABSENCE_DEFAULTS: Table = {"where": {}, "group_by": "tenant", "window": "1h", "open_at": 1}
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
    rows = [RuleTable(table, f"rule {name}") for name, table in tables.items()]
    rules = tuple(_rule(row) for row in rows if row.flag("enabled", True))
    _refuse_unknown_rules(rules, set(tables))
    return rules


def _tables(text: str, file: str) -> dict[str, Table]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{file} is not TOML: {error}") from error
    RuleTable(document, file).refuse_unknown({"rule"})
    tables: dict[str, Table] = {}
    rules = document.get("rule", [])
    if not isinstance(rules, list) or not all(isinstance(table, dict) for table in rules):
        raise RuleError(f"{file}: rules are tables named [[rule]]")
    for number, table in enumerate(rules, 1):
        name = table.get("id")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise RuleError(f"{file}, rule {number}: id must be a name such as sender_blocked")
        if name in tables:
            raise RuleError(f"{file}: the rule {name} stands twice")
        RuleTable(table, f"rule {name}").refuse_unknown(_KEYS)
        tables[name] = table
    return tables


def _rule(row: RuleTable) -> Rule:
    if row.values.get("shape") == Shape.ABSENCE:
        row = RuleTable({**_ABSENCE_DEFAULTS, **row.values}, row.where)
    missing = [key for key in _NEEDED if key not in row]
    if missing:
        raise RuleError(f"{row.where}: {', '.join(missing)} missing")
    try:
        return _read_rule(row)
    except (AttributeError, TypeError) as error:
        raise RuleError(f"{row.where}: a value has the wrong type: {error}") from error


def _read_rule(row: RuleTable) -> Rule:
    shape, open_at = row.word(Shape, "shape"), row.count("open_at")
    resolve_below = row.count("resolve_below", max(1, open_at // 2))
    if resolve_below > open_at:
        raise RuleError(f"{row.where}: resolve_below {resolve_below} is above open_at {open_at}")
    rule = Rule(
        id=row.values["id"],
        title=str(row.values["title"]),
        shape=shape,
        where=_conditions(row),
        group_by=row.word(Facet, "group_by"),
        distinct=_distinct(row, shape),
        also_min=_minimum(row),
        window=row.span("window"),
        open_at=open_at,
        resolve_below=resolve_below,
        quiet_resolve=row.span("quiet_resolve"),
        severity=row.word(Severity, "severity"),
        owner=row.word(Owner, "owner"),
        playbook=row.name("playbook"),
        reopen_within=row.span("reopen_within", timedelta(days=1)),
        evidence=row.words(Evidence, "evidence"),
        inhibits=row.names("inhibits"),
        links=row.names("links"),
        guidance=row.sentence("guidance"),
        usual=_usual(row, shape),
        gap=None if row.values.get("gap", "auto") == "auto" else row.span("gap"),
    )
    _refuse_unfit(rule, row.where)
    return rule


def _usual(row: RuleTable, shape: Shape) -> Usual:
    foreign = sorted((_LEARNING & set(row.values)) - _LEARNING_OF_SHAPE.get(shape, set()))
    if foreign:
        raise RuleError(f"{row.where}: {', '.join(foreign)} does not belong to the shape {shape}")
    usual = Usual()
    return Usual(
        learn=row.span("learn", usual.learn),
        events=row.count("learn_events", usual.events),
        p_open=row.probability("p_open", usual.p_open),
        p_resolve=row.probability("p_resolve", usual.p_resolve),
        also_window=row.span("also_window") if "also_window" in row else None,
    )


def _refuse_unfit(rule: Rule, where: str) -> None:
    """Refuse what a shape cannot do, and rules by which forged messages could silence or alarm people."""
    if rule.shape is Shape.BASELINE:
        is_narrow = any(c.codes or c.side or c.certainties for c in rule.where)
        if is_narrow or rule.group_by not in (Facet.CAUSE, Facet.TENANT):
            raise RuleError(f"{where}: a baseline is grouped by cause or tenant and looks at causes only")
        if rule.usual.p_resolve < rule.usual.p_open:
            raise RuleError(f"{where}: p_resolve must not be below p_open")
    doubtful = rule.evidence & {Evidence.UNVERIFIED, Evidence.CONTRADICTORY}
    if doubtful and (rule.inhibits or rule.guidance or rule.severity in (Severity.CRITICAL, Severity.HIGH)):
        raise RuleError(
            f"{where}: {', '.join(sorted(doubtful))} reports can be forged: such a rule inhibits nothing, "
            "has no guidance and at most medium severity"
        )


def _conditions(row: RuleTable) -> tuple[Condition, ...]:
    tables = row.values["where"]
    return tuple(
        _condition(RuleTable(table, row.where))
        for table in (tables if isinstance(tables, list) else [tables])
    )


def _condition(row: RuleTable) -> Condition:
    row.refuse_unknown({"cause", "except_cause", "code", "side", "certainty"}, ", where")
    codes = row.values.get("code", [])
    wrong = [code for code in codes if not _STATUS.fullmatch(code)]
    if wrong:
        raise RuleError(f"{row.where}: {wrong[0]!r} is no status such as 5.1.8")
    return Condition(
        causes=row.words(Cause, "cause"),
        except_causes=row.words(Cause, "except_cause"),
        codes=frozenset(codes),
        side=row.word(Side, "side") if "side" in row else None,
        certainties=row.words(Certainty, "certainty"),
    )


def _distinct(row: RuleTable, shape: Shape) -> Facet | None:
    if ("distinct" in row) is not (shape is Shape.DISTINCT):
        raise RuleError(f"{row.where}: distinct belongs to the shape distinct, and only there")
    return row.word(Facet, "distinct") if "distinct" in row else None


def _minimum(row: RuleTable) -> Minimum:
    minima = RuleTable(row.values.get("also_min", {}), row.where)
    minima.refuse_unknown({"messages", "recipient_domains", "senders"}, ", also_min")
    return Minimum(**{key: minima.count(key, prefix="also_min.") for key in minima.values})


def _refuse_unknown_rules(rules: tuple[Rule, ...], known: set[str]) -> None:
    """Refuse names of rules that no file defines; a rule that is switched off may be named."""
    for rule in rules:
        unknown = sorted({*rule.inhibits, *rule.links} - known)
        if unknown:
            raise RuleError(f"rule {rule.id}: there is no rule {', '.join(unknown)}")
