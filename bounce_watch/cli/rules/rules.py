"""`rules`: what the detection rules say, whether they are sound, and what others would have found."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bounce_watch.config.models import Config
    from bounce_watch.detect import Rule

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]

group = typer.Typer(help="See the detection rules, check them, and try others on the stored history.")


def register(app: typer.Typer) -> None:
    from bounce_watch.cli.rules import backtest  # noqa: F401 - its command joins the group

    app.add_typer(group, name="rules")


@group.command("list")
def list_rules(context: typer.Context, as_json: AsJson = False) -> None:
    """List the rules in force."""
    from bounce_watch.cli.common.output import Column, emit, form_of
    from bounce_watch.config.load import load_config

    rows = map(_rule_json, load(load_config(context.obj)))
    columns = [
        Column(key="rule", title="Rule", show=lambda row: (row["rule"], row["severity"])),
        Column(key="title", title="What", gives_way=True),
        Column(key="shape", title="Opens", show=lambda row: (row["opens"], f"by {row['group_by']}")),
        Column(key="owner", title="Who must act"),
    ]
    emit(rows, columns, form_of(as_json), empty="No rules.")


def _rule_json(rule: "Rule") -> dict[str, Any]:
    return {
        "rule": rule.id,
        "title": rule.title,
        "shape": rule.shape,
        "opens": _opens(rule),
        "group_by": rule.group_by,
        "window_seconds": int(rule.window.total_seconds()),
        "open_at": rule.open_at,
        "resolve_below": rule.resolve_below,
        "quiet_resolve_seconds": int(rule.quiet_resolve.total_seconds()),
        "severity": rule.severity,
        "owner": rule.owner,
        "playbook": rule.playbook,
        "inhibits": list(rule.inhibits),
        "links": list(rule.links),
        "guidance": rule.guidance,
    }


def _opens(rule: "Rule") -> str:
    """Say in a few words when a rule opens."""
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


@group.command()
def lint(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A site's rules (default: those in force).")
    ] = None,
) -> None:
    """Check rules: what cannot be used is an error, what is probably not meant is a remark."""
    from bounce_watch.cli.common.output import say
    from bounce_watch.config.load import load_config
    from bounce_watch.detect import RuleError, load_rules

    try:
        if file is None:
            rules = load(load_config(context.obj))
        else:
            rules = load_rules(_shipped("rules.toml"), file.read_text(encoding="utf-8"))
    except RuleError as error:
        say(str(error))
        raise typer.Exit(78) from None
    remarks = list(_remarks(rules))
    for remark in remarks:
        say(remark)
    say(f"{len(rules)} rules, {len(remarks)} remarks.")


def _remarks(rules: Sequence["Rule"]) -> Iterable[str]:
    from bounce_watch.notifications.alert.playbooks import shipped_playbooks

    playbooks = shipped_playbooks()
    by_id = {rule.id: rule for rule in rules}
    for rule in rules:
        if rule.playbook not in playbooks:
            yield f"{rule.id}: there is no playbook {rule.playbook}; the alert will name no steps"
        if rule.shape in ("count", "distinct") and rule.window > 2 * rule.quiet_resolve:
            yield f"{rule.id}: it is over ({_span(rule.quiet_resolve)}) long before its window has passed"
        for other in rule.inhibits:
            if other in by_id and rule.id in by_id[other].inhibits:
                yield f"{rule.id} and {other} inhibit each other: nobody would hear of either"


def _shipped(name: str) -> str:
    from bounce_watch.shipped_files import data_file

    return data_file(name).read_text(encoding="utf-8")


def load(config: "Config", override: str | None = None) -> tuple["Rule", ...]:
    """Return the rules in force, changed by a text. Raises RuleError."""
    from bounce_watch.detect import load_rules

    own = config.overrides.rules
    return load_rules(_shipped("rules.toml"), own.read_text(encoding="utf-8") if own else None, override)
