"""`calibrate`: which evidence the genuine reports of this site carry, and what to put into `[trust]`."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bounce_watch.classify.evidence import Weighed
    from bounce_watch.config.models import Config
    from bounce_watch.source.interface import Source

ENOUGH = 5
"""Reports below which nothing is proposed."""


def register(app: typer.Typer) -> None:
    app.command()(calibrate)


def calibrate(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Genuine reports: files, Maildirs, mboxes.")
    ] = None,
    mailbox: Annotated[bool, typer.Option("--mailbox", help="Look into the watched mailboxes.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many mails.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show which evidence genuine reports carry, and propose trust.authority. Nothing is stored or moved."""
    from bounce_watch.cli.opening import read_config
    from bounce_watch.cli.output import emit_json, say

    if mailbox == bool(paths):
        raise typer.BadParameter("name files that hold genuine reports, or use --mailbox")
    config = read_config(context.obj)
    weighed = list(_weigh(config, _sources(config, paths or []), limit))
    tiers = Counter(str(one.evidence) for one in weighed)
    tests = Counter(name for one in weighed for name, outcome in one.tests if outcome == "yes")
    proposal = _propose(len(weighed), tiers["internal"])
    if as_json:
        emit_json({"reports": len(weighed), "tiers": tiers, "tests": tests, "authority": proposal})
        return
    say(f"{len(weighed)} reports read.")
    for title, counted in (("Evidence", tiers), ("What they carry", tests)):
        say(f"{title}:")
        for name, count in counted.most_common():
            say(f"  {count:5} {name}")
    say(_advice(proposal, config.trust.authority))


def _sources(config: "Config", paths: list[Path]) -> "Iterator[Source]":
    from bounce_watch.cli.service import source_of
    from bounce_watch.source import open_path

    if not paths:
        yield from map(source_of, config.source)
    yield from map(open_path, paths)


def _weigh(config: "Config", sources: "Iterator[Source]", limit: int) -> "Iterator[Weighed]":
    """Weigh failures by what Exchange writes into them, whatever the configuration trusts now."""
    from dataclasses import replace
    from itertools import islice

    from bounce_watch.classify import weigh
    from bounce_watch.model import Authority, Kind, Report
    from bounce_watch.parse import read

    site = replace(config.site, authority=Authority.EXCHANGE_HEADERS)
    for source in sources:
        with source:
            for message in islice(source.messages(), limit):
                reports = (reading for reading in read(message.raw) if isinstance(reading, Report))
                yield from (weigh(report, site) for report in reports if report.kind is Kind.FAILURE)


def _propose(reports: int, internal: int) -> str | None:
    """Return the authority that fits; None when there is too little to go by, or a mixture."""
    if reports < ENOUGH:
        return None
    if internal * 2 >= reports:
        return "exchange-headers"
    return "mailbox" if internal == 0 else None


def _advice(proposal: str | None, now: str) -> str:
    match proposal:
        case None:
            return "Too little, or too mixed, to propose a setting: keep what you have and look at `explain`."
        case "mailbox":
            return (
                "No report carries the mark of Exchange. If nobody outside can mail into this mailbox, "
                'set authority = "mailbox" in [trust].'
            )
        case _ if proposal == now:
            return f'Keep authority = "{now}" in [trust]: your genuine reports carry what it asks for.'
        case _:
            return f'Set authority = "{proposal}" in [trust]: your genuine reports carry what it asks for.'
