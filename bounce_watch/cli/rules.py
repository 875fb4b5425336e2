"""`rules`: the detection rules in force, their faults, and what changed rules would have found."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Column, emit, form_of, picked, say, two_lines
from bounce_watch.cli.common.when import read_moment
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.detect import Replayed, Rule, RuleError, load_rules, replay
from bounce_watch.notifications.alert.playbooks import shipped_playbooks
from bounce_watch.notifications.rendering.labels import label_of
from bounce_watch.shipped_files import data_file

_MAX_EVENTS = 1_000_000
"""Maximum number of bounces that a backtest reads, the newest ones."""

_WEEK = timedelta(weeks=1)
_CHANGE = re.compile(r"([a-z_]+)=(.+)", re.DOTALL)
_BARE = re.compile(r"\d+(\.\d+)?|true|false|[\[{].*", re.DOTALL)

rules = typer.Typer(help="List, check and try the detection rules.")


@rules.command("list")
def list_rules(context: typer.Context, as_json: AsJson = False) -> None:
    """List the rules in force."""
    rows = map(_rule_json, _load(load_config(context.obj)))
    columns = [
        Column("rule", "Rule", show=lambda row: (row["rule"], row["severity"])),
        Column("title", "What", flexible=True),
        Column("shape", "Opens", show=_opening),
        Column("owner", "Owner", show=lambda row: label_of(row["owner"])),
    ]
    emit(rows, columns, form_of(as_json), empty="No rules.")


def _opening(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return when a rule opens an incident, and for whom or what, in words that can be parted."""
    return (row["opens"].replace("_", " "), f"by {row['group_by'].replace('_', ' ')}")


def _rule_json(rule: Rule) -> dict[str, Any]:
    return {
        **picked(rule, "rule=id title shape"),
        "opens": _opens(rule),
        "group_by": rule.group_by,
        "window_seconds": int(rule.window.total_seconds()),
        **picked(rule, "open_at resolve_below"),
        "quiet_resolve_seconds": int(rule.quiet_resolve.total_seconds()),
        **picked(rule, "severity owner playbook"),
        "inhibits": list(rule.inhibits),
        "links": list(rule.links),
        "guidance": rule.guidance,
    }


def _opens(rule: Rule) -> str:
    """Return in a few words when a rule opens an incident."""
    match rule.shape:
        case "baseline":
            return f"unusual, from {rule.open_at}"
        case "absence":
            return "silence"
        case _:
            what = f"{rule.distinct}s" if rule.distinct else "mails"
            return f"{rule.open_at} {what} in {_span(rule.window)}"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes % 1440 == 0:
        return f"{minutes // 1440}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


@rules.command()
def lint(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A site's rules (default: those in force).")
    ] = None,
) -> None:
    """Check rules: what cannot be used is an error, what is probably not meant is a remark."""
    try:
        if file is None:
            rules = _load(load_config(context.obj))
        else:
            rules = load_rules(_shipped("rules.toml"), file.read_text(encoding="utf-8"))
    except RuleError as error:
        say(str(error))
        raise typer.Exit(Exit.CONFIGURATION) from None
    remarks = list(_remarks(rules))
    for remark in remarks:
        say(remark)
    say(f"{len(rules)} rules, {len(remarks)} remarks.")


def _remarks(rules: Sequence[Rule]) -> Iterable[str]:
    playbooks = shipped_playbooks()
    by_id = {rule.id: rule for rule in rules}
    for rule in rules:
        if rule.playbook not in playbooks:
            yield f"{rule.id}: there is no playbook {rule.playbook}; the alert will name no steps"
        if rule.shape in ("count", "distinct") and rule.window > 2 * rule.quiet_resolve:
            yield f"{rule.id}: it is over ({_span(rule.quiet_resolve)}) long before its window has passed"
        for other in rule.inhibits:
            if other in by_id and rule.id in by_id[other].inhibits:
                yield f"{rule.id} and {other} inhibit each other: neither would be alerted"


def _shipped(name: str) -> str:
    return data_file(name).read_text(encoding="utf-8")


def _load(config: Config, override: str | None = None) -> tuple[Rule, ...]:
    """Return the rules in force, changed by `override`, a text in TOML. Raises RuleError."""
    own = config.overrides.rules
    return load_rules(_shipped("rules.toml"), own.read_text(encoding="utf-8") if own else None, override)


@rules.command()
def backtest(
    context: typer.Context,
    since: Annotated[str, typer.Option("--since", help="7d, yesterday or 2026-11-24.")],
    rule: Annotated[str | None, typer.Option("--rule", help="Only this rule.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Try another value, as window=2h.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play the stored history through the rules; with --set, compare with those in force."""
    config, now = load_config(context.obj), datetime.now(UTC)
    if change and rule is None:
        raise typer.BadParameter("--set needs --rule: which rule is to be changed?")
    try:
        current = _only(_load(config), rule)
        changed = _only(_load(config, _override(rule, change)), rule) if rule and change else None
    except RuleError as error:
        raise typer.BadParameter(str(error)) from None
    start = read_moment(since, now) or now
    with read_store(context.obj) as store:
        events = store.bounces.events(since=start, until=now, limit=_MAX_EVENTS)
    before = _play(config, current, events, now)
    if changed is None:
        emit(map(_json, before), _columns(), form_of(as_json), empty="Nothing would have opened.")
        say(_noise(before, start, now))
    else:
        _print_difference(before, _play(config, changed, events, now), as_json, (start, now))


def _play(config: Config, rules: Sequence[Rule], events: Any, now: datetime) -> tuple[Replayed, ...]:
    return replay(rules, events, accepted=config.site.accepted_evidence, zone=config.zone, until=now)


def _only(rules: tuple[Rule, ...], name: str | None) -> tuple[Rule, ...]:
    found = tuple(rule for rule in rules if name in (None, rule.id))
    if not found:
        raise typer.BadParameter(f"there is no rule {name}; `bounce-watch rules list` shows them")
    return found


def _override(name: str, changes: Iterable[str]) -> str:
    """Return a rules file in TOML that changes these keys; a value is TOML, or a bare word or span."""
    lines = ["[[rule]]", f'id = "{name}"']
    for change in changes:
        parts = _CHANGE.fullmatch(change)
        if parts is None:
            raise typer.BadParameter(f"{change!r} is no change; write window=2h or open_at=5")
        value = parts[2] if _BARE.fullmatch(parts[2]) else '"' + parts[2].strip('"') + '"'
        lines.append(f"{parts[1]} = {value}")
    return "\n".join(lines) + "\n"


def _json(one: Replayed, **more: Any) -> dict[str, Any]:
    hours = None if one.resolved_at is None else (one.resolved_at - one.opened_at).total_seconds() / 3600
    return {
        **more,
        "rule": one.finding.rule_id,
        "key": one.finding.key,
        "severity": one.finding.severity,
        "opened_at": one.opened_at,
        "resolved_at": one.resolved_at,
        "hours": None if hours is None else round(hours, 1),
        "messages": one.finding.messages,
        "reopened": one.reopened,
        "suppressed_by": one.suppressed_by,
        "alerts": one.mails,
    }


def _columns(*, compared: bool = False) -> list[Any]:
    return [
        *([Column("change", "Change")] if compared else []),
        Column("rule", "Rule\nwho or where", show=lambda row: (row["rule"], row["key"]), flexible=True),
        Column("opened_at", "Opened", show=lambda row: two_lines(row["opened_at"])),
        Column(
            "hours",
            "Hours",
            right=True,
            show=lambda row: "still open" if row["hours"] is None else f"{row['hours']:.0f}",
        ),
        Column("messages", "Mails", right=True),
        Column("alerts", "Alerts", right=True),
    ]


def _noise(found: Sequence[Replayed], since: datetime, until: datetime) -> str:
    weeks = max((until - since) / _WEEK, 1 / 7)
    suppressed = sum(one.suppressed_by is not None for one in found)
    mails = sum(one.mails for one in found)
    return (
        f"{len(found)} incidents ({len(found) / weeks:.1f} a week), {suppressed} explained by others, "
        f"{mails} alerts to each admin ({mails / weeks:.1f} a week, reminders not counted)."
    )


def _print_difference(
    before: Sequence[Replayed], after: Sequence[Replayed], as_json: bool, span: tuple[datetime, datetime]
) -> None:
    old, new = {_name(one): one for one in before}, {_name(one): one for one in after}
    rows = [
        *(_json(one, change="gone") for name, one in old.items() if name not in new),
        *(_json(one, change="new") for name, one in new.items() if name not in old),
        *(_json(one, change="differs") for name, one in new.items() if name in old and one != old[name]),
    ]
    rows.sort(key=lambda row: row["opened_at"])
    emit(rows, _columns(compared=True), form_of(as_json), empty="The change makes no difference.")
    say(f"Now:  {_noise(before, *span)}")
    say(f"Then: {_noise(after, *span)}")


def _name(one: Replayed) -> tuple[str, str, datetime]:
    """Return a key that is the same for an incident that opens a little earlier or later on the same day."""
    day = one.finding.first_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return one.finding.rule_id, one.finding.key, day
