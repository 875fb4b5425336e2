"""`top` and `trend`: how many mails failed, by value and by time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from bounce_watch.cli.common.charts import (
    Course,
    Step,
    bar,
    change,
    course_of,
    fitting,
    line,
    start_of,
    starts,
)
from bounce_watch.cli.common.filters import AsCsv, AsJson, filtered, read_word
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Column, Form, emit, form_of, say
from bounce_watch.notifications.rendering.labels import label_of
from bounce_watch.store import By, HistoryFilter

_CAUSE_ROWS = 8
_PERIOD_FORMATS = {Step.HOUR: "%a %d %b %H:%M %Z", Step.DAY: "%a %d %b", Step.WEEK: "%d %b %Y"}


@filtered()
def top(
    context: typer.Context,
    by: Annotated[str, typer.Argument(help="sender, recipient, domain, cause, code or owner.")] = "cause",
    *,
    chosen: HistoryFilter,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 10,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Count failed messages by one value, most first."""
    value = read_word(By, by, "BY")
    with read_store(context.obj) as store:
        counts = store.history.top(value, chosen, limit)
    most = max((count.now for count in counts), default=1)
    rows = [{by: count.label, "mails": count.now} for count in counts]
    columns = [
        Column(by, by.capitalize(), show=lambda row: _labelled(value, row[by]), flexible=True),
        Column("mails", "Mails", right=True),
        Column("bar", "", show=lambda row: bar(row["mails"], most), style="cyan"),
    ]
    emit(rows, columns, form_of(as_json, as_csv), empty="No bounces found.")


def _labelled(by: By, label: str) -> str:
    return label_of(label) if by in (By.CAUSE, By.OWNER) else label


@filtered(since="30d")
def trend(
    context: typer.Context,
    step: Annotated[str | None, typer.Option("--by", help="hour, day or week; else what fits.")] = None,
    *,
    chosen: HistoryFilter,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Draw failed messages over time.

    Each period is compared with the time before.
    """
    end = chosen.until or datetime.now(UTC)
    begin = chosen.since or end - timedelta(days=30)
    if begin >= end:
        raise typer.BadParameter("the time begins after its end", param_hint="--since")
    width = read_word(Step, step, "--by") or fitting(end - begin)
    begin = start_of(begin, width)
    chosen = replace(chosen, since=None, until=None)
    with read_store(context.obj) as store:
        now = course_of(store.history.trend(begin, end, chosen), width)
        before = course_of(store.history.trend(begin - (end - begin), begin, chosen), width)
    periods = starts(begin, end, width)
    match form_of(as_json, as_csv):
        case Form.JSON:
            emit(
                ({"from": at, "mails": now.all[at], "causes": _causes_at(now, at)} for at in periods),
                [],
                Form.JSON,
            )
        case Form.CSV:
            causes = sorted(now.causes)
            rows = (
                {"from": at, "mails": now.all[at], **{name: now.causes[name][at] for name in causes}}
                for at in periods
            )
            emit(rows, [], Form.CSV)
        case _ if not now.total and not before.total:
            say("No bounces found.")
        case _:
            _print_periods(now, periods, width)
            _print_causes(now, before, periods)


def _causes_at(course: Course, at: datetime) -> dict[str, int]:
    return {name: count[at] for name, count in sorted(course.causes.items()) if count[at]}


def _print_periods(now: Course, periods: Sequence[datetime], step: Step) -> None:
    most = max(now.all.values(), default=0)
    columns = [
        Column(
            "from", f"{step.capitalize()} of", show=lambda row: row["from"].strftime(_PERIOD_FORMATS[step])
        ),
        Column("mails", "Mails", right=True, show=lambda row: str(row["mails"] or "")),
        Column("bar", "", show=lambda row: bar(row["mails"], most, 40), style="cyan"),
    ]
    emit([{"from": at, "mails": now.all[at]} for at in periods], columns, Form.TABLE)


def _print_causes(now: Course, before: Course, periods: Sequence[datetime]) -> None:
    ranked = sorted(now.causes, key=lambda name: (-now.total_of(name), name))
    rows = [
        {
            "cause": name,
            "mails": now.total_of(name),
            # Without any bounce before, the span before is probably not in the store.
            "change": change(now.total_of(name), before.total_of(name)) if before.total else "",
            "course": line([now.causes[name][at] for at in periods]),
        }
        for name in ranked[:_CAUSE_ROWS]
    ]
    overall = change(now.total, before.total) if before.total else ""
    rows.append({"cause": "all", "mails": now.total, "change": overall, "course": ""})
    columns = [
        Column("cause", "Cause", show=lambda row: "All" if row["cause"] == "all" else label_of(row["cause"])),
        Column("mails", "Mails", right=True),
        Column("change", "Compared with before"),
        Column("course", "", style="cyan", flexible=True, truncate=True),
    ]
    emit(rows, columns, Form.TABLE)
