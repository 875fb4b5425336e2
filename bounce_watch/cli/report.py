"""`report`: an HTML page about a span of time, to read in a browser, to print and to pass on."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from bounce_watch.cli.common.filters import AsJson, Since, Until
from bounce_watch.cli.common.output import emit_json, say
from bounce_watch.cli.common.pages import open_page, write_page
from bounce_watch.cli.common.progress import waiting
from bounce_watch.cli.common.when import read_moment
from bounce_watch.config.load import load_config
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.notifications.report_page.page import report_page
from bounce_watch.store import open_store, store_location

DEFAULT_SPAN = timedelta(days=30)


def report(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write the page.")] = Path(
        "bounce-report.html"
    ),
    since: Since = "30d",
    until: Until = None,
    limit: Annotated[int, typer.Option(min=0, max=5000, help="Bounces listed, the newest.")] = 500,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a self-contained HTML report.

    The page shows the course, incidents, causes, senders and the newest bounces.
    """
    end = read_moment(until) or datetime.now(UTC)
    begin = read_moment(since) or end - DEFAULT_SPAN
    if begin >= end:
        raise typer.BadParameter("the time begins after its end", param_hint="--since")
    config = load_config(context.obj)
    home = config.organisation
    with waiting("Counting"), open_store(store_location(config.store), read_only=True) as store:
        overview = store.overviews.overview(home.name, home.time_zone, begin, end, limit)
    if as_json:
        emit_json(asdict(overview))
        return
    page = report_page(Templates(config.overrides.template_folders), overview, datetime.now(UTC))
    write_page(out, page, "--out")
    say(f"Wrote {out}: {overview.messages} mails that came back, {len(overview.stories)} incidents.")
    if not (show and open_page(out)):
        say("Open it in a browser; it needs no network. It names people: pass it on with care.")
