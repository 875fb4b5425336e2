"""`unknown`: refusals that are not understood, masked and in groups, each with a row to start from."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bounce_watch.classify import Catalogue
from bounce_watch.classify.learning.grouping import Group, Refusal, group, masked_reply
from bounce_watch.classify.learning.teaching import Lesson, rows_for
from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import emit_json, print_lines, say
from bounce_watch.cli.common.when import read_moment
from bounce_watch.cli.learn.site_file import new_row
from bounce_watch.config.load import load_config
from bounce_watch.model import Bounce, Cause
from bounce_watch.pipeline.context import read_catalogue

MAX_READ = 50_000
"""The newest refusals that are grouped."""


def unknown(
    context: typer.Context,
    since: Annotated[str, typer.Option("--since", help="From then on: 90d, yesterday, 2026-11-24.")] = "90d",
    limit: Annotated[int, typer.Option(min=0, help="Maximum number of groups; 0 for all.")] = 10,
    as_json: AsJson = False,
) -> None:
    """List rejections that aren't understood, in groups.

    Addresses, hosts, numbers and ids are masked. Each group has a row for the file [overrides] codes.
    """
    catalogue = read_catalogue(load_config(context.obj))
    with read_store(context.obj) as store:
        found = store.verdicts.not_understood(since=read_moment(since), most=MAX_READ)
    groups = group(Refusal(one.id, one.bounce) for one in found)
    shown = [group_json(one, catalogue) for one in groups[: limit or None]]
    if as_json:
        for one in shown:
            emit_json(one)
        return
    if not groups:
        say("Every rejection with words in it is understood.")
        return
    print_lines(line for one in shown for line in _lines(one))
    more = f" {len(groups) - len(shown)} more: --limit 0." if len(groups) > len(shown) else ""
    say(f"{len(groups)} groups of {sum(one.bounces for one in groups)} rejections.{more}")


def group_json(one: Group, catalogue: Catalogue) -> dict[str, Any]:
    """Return a group as `--json` prints it."""
    first = one.examples[0]
    cause = guess(first.bounce, catalogue)
    return {
        "people": len(one.people),
        "bounces": one.bounces,
        "reply": one.masked,
        "examples": [{"id": each.id, "reply": masked_reply(each.bounce)} for each in one.examples],
        "guess": cause.value,
        "row": ready_row(one, cause),
    }


def guess(bounce: Bounce, catalogue: Catalogue) -> Cause:
    """Return the usual meaning of a bounce's code, unknown without any."""
    rows = {row.name: row.cause for row in catalogue.rows}
    return bounce.cause if bounce.cause is not Cause.UNKNOWN else rows.get(bounce.entry or "", Cause.UNKNOWN)


def ready_row(one: Group, cause: Cause) -> str:
    """Return a row in TOML that a site's file accepts."""
    _, row = next(rows_for(Lesson(one.masked, cause), datetime.now(UTC).date()))
    return new_row(row)


def _lines(one: dict[str, Any]) -> Iterator[str]:
    yield f"{_count(one['people'], 'person', 'people')}, {_count(one['bounces'], 'bounce', 'bounces')}"
    yield from (f"  {each['id']}: {each['reply']}" for each in one["examples"])
    yield f"  Teach it: bounce-watch teach {one['examples'][0]['id']} --cause CAUSE"
    yield f"# cause is a guess by the code: {one['guess']}"
    yield from filter(None, one["row"].splitlines())
    yield ""


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
