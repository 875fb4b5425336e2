"""`status`: the health of the service, in the form and with the exit status of a Nagios plugin."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.output import emit_json, print_prose
from bounce_watch.config.load import load_config
from bounce_watch.notifications.rendering.safe_text import for_terminal
from bounce_watch.pipeline.health import Level, Line, judge_health, worst
from bounce_watch.pipeline.wiring import source_names
from bounce_watch.store import open_store, store_location, workers

_PERFORMANCE = ("pending", "held", "unknown", "failed", "quarantine", "incidents", "store")


def status(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """Show service health; works as a Nagios plugin.

    Exit status: 0 ok, 1 warning, 2 critical, 3 unknown.
    """
    try:
        lines = judge(context.obj)
    except Exception as error:  # noqa: BLE001 - a monitor needs an answer, whatever is wrong
        _say_unknown(error, as_json=as_json)
        raise typer.Exit(Level.UNKNOWN) from None
    level = worst(lines)
    if as_json:
        emit_json({"status": level.name.lower(), "parts": [_row(line) for line in lines]})
    else:
        _print(lines)
    raise typer.Exit(level)


def judge(place: Path | None) -> tuple[Line, ...]:
    """Judge the health of store, mailboxes and service. Raises what opening the store raises."""
    config = load_config(place)
    sources, where = source_names(config), store_location(config.store)
    with open_store(where, read_only=True) as store:
        return judge_health(store, config, datetime.now(UTC), sources=sources, workers=workers(where))


def _row(line: Line) -> dict[str, Any]:
    return {"name": line.name, "status": line.level.name.lower(), "text": line.text, "figure": line.figure}


def _say_unknown(error: Exception, *, as_json: bool) -> None:
    why = " ".join(str(error).split()) or type(error).__name__
    if as_json:
        emit_json({"status": "unknown", "parts": [], "error": why, "repair": getattr(error, "repair", "")})
    else:
        typer.echo(f"BOUNCE-WATCH UNKNOWN - {for_terminal(why)}")


def _print(lines: tuple[Line, ...]) -> None:
    level = worst(lines)
    wrong = [line for line in sorted(lines, key=lambda line: -line.level) if line.level]
    told = "; ".join(f"{line.name}: {line.text}" for line in wrong) or "all is well"
    # In the output of a plugin, figures follow a bar: the text must hold none.
    typer.echo(f"BOUNCE-WATCH {level.name} - {for_terminal(told).replace('|', '/')} | {_figures(lines)}")
    width = max(len(line.name) for line in lines)
    for line in lines:
        mark = "" if line.level is Level.OK else line.level.name
        print_prose([f"{mark:<8}  {line.name:<{width}}  {line.text}".replace("|", "/")])


def _figures(lines: tuple[Line, ...]) -> str:
    known = {line.name: line.figure for line in lines if line.figure is not None}
    pairs = [f"{name}={known[name]:g}" for name in _PERFORMANCE if name in known and name != "store"]
    ages = [known[name] for name in known if name.startswith("mailbox ")]
    pairs += [f"oldest_look={max(ages):.0f}s"] if ages else []
    return " ".join([*pairs, f"store={known.get('store', 0):.0f}B"])
