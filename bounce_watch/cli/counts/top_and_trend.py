"""`top` and `trend`: how much, and whether it grows."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.charts import Course, Step, course_of, fitting, start_of, starts
from bounce_watch.cli.common.filters import (
    AsCsv,
    AsJson,
    CauseName,
    Code,
    Domain,
    IncidentNumber,
    OwnerName,
    Recipient,
    Sender,
    SideName,
    Since,
    Subject,
    Text,
    Until,
    chosen_by,
    read_word,
)

FIRST_CAUSES = 8


def register(app: typer.Typer) -> None:
    app.command()(top)
    app.command()(trend)


def top(
    context: typer.Context,
    by: Annotated[str, typer.Argument(help="sender, recipient, domain, cause, code or owner.")] = "cause",
    sender: Sender = None,
    recipient: Recipient = None,
    domain: Domain = None,
    code: Code = None,
    cause: CauseName = None,
    owner: OwnerName = None,
    side: SideName = None,
    incident: IncidentNumber = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    subject: Subject = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 10,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Count failed mails by one value, most first."""
    from bounce_watch.cli.common.charts import bar
    from bounce_watch.cli.common.open_store import asking
    from bounce_watch.cli.common.output import Column, emit, form_of
    from bounce_watch.store import By

    value = read_word(By, by, "BY")
    chosen = chosen_by(
        sender=sender, recipient=recipient, domain=domain, code=code, cause=cause, owner=owner, side=side,
        incident=incident, since=since, until=until, text=text, subject=subject,
    )  # fmt: skip
    with asking(context.obj) as store:
        counts = store.history.top(value, chosen, limit)
    most = max((count.now for count in counts), default=1)
    rows = [{by: count.label, "mails": count.now} for count in counts]
    columns = [
        Column(key=by, title=by.capitalize(), gives_way=True),
        Column(key="mails", title="Mails", right=True),
        Column(key="bar", title="", show=lambda row: bar(row["mails"], most), style="cyan"),
    ]
    emit(rows, columns, form_of(as_json, as_csv), empty="No bounces found.")


def trend(
    context: typer.Context,
    step: Annotated[str | None, typer.Option("--by", help="hour, day or week; else what fits.")] = None,
    sender: Sender = None,
    recipient: Recipient = None,
    domain: Domain = None,
    code: Code = None,
    cause: CauseName = None,
    owner: OwnerName = None,
    side: SideName = None,
    incident: IncidentNumber = None,
    since: Since = "30d",
    until: Until = None,
    text: Text = None,
    subject: Subject = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Draw how many mails failed, period by period, and how that compares with the time before."""
    from bounce_watch.cli.common.open_store import asking
    from bounce_watch.cli.common.when import read_moment

    chosen = chosen_by(
        sender=sender, recipient=recipient, domain=domain, code=code, cause=cause, owner=owner, side=side,
        incident=incident, text=text, subject=subject,
    )  # fmt: skip
    end = read_moment(until) or datetime.now(UTC)
    begin = read_moment(since) or end - timedelta(days=30)
    if begin >= end:
        raise typer.BadParameter("the time begins after its end", param_hint="--since")
    width = read_word(Step, step, "--by") or fitting(end - begin)
    begin = start_of(begin, width)
    with asking(context.obj) as store:
        now = course_of(store.history.trend(begin, end, chosen), width)
        before = course_of(store.history.trend(begin - (end - begin), begin, chosen), width)
    _emit(now, before, starts(begin, end, width), width, as_json, as_csv)


def _emit(
    now: Course, before: Course, periods: list[datetime], step: Step, as_json: bool, as_csv: bool
) -> None:
    from bounce_watch.cli.common.output import Form, emit, form_of, say

    form = form_of(as_json, as_csv)
    rows = [
        {"from": at, "mails": now.all[at], "causes": _causes_at(now, at) if form is Form.JSON else ""}
        for at in periods
    ]
    if form is Form.CSV:
        rows = [
            {"from": at, "mails": now.all[at], **{name: now.causes[name][at] for name in sorted(now.causes)}}
            for at in periods
        ]
    if form is not Form.TABLE:
        emit(rows, [], form)
        return
    if not now.total and not before.total:
        say("No bounces found.")
        return
    emit(rows, _period_columns(now, step), form)
    _emit_causes(now, before, periods)


def _causes_at(course: Course, at: datetime) -> dict[str, int]:
    return {name: count[at] for name, count in sorted(course.causes.items()) if count[at]}


def _period_columns(now: Course, step: Step) -> list[Any]:
    from bounce_watch.cli.common.charts import bar
    from bounce_watch.cli.common.output import Column

    most = max(now.all.values(), default=0)
    form = {Step.HOUR: "%a %d %b %H:%M", Step.DAY: "%a %d %b", Step.WEEK: "%d %b %Y"}[step]
    return [
        Column(key="from", title=f"{step.capitalize()} of", show=lambda row: row["from"].strftime(form)),
        Column(key="mails", title="Mails", right=True, show=lambda row: str(row["mails"] or "")),
        Column(key="bar", title="", show=lambda row: bar(row["mails"], most, 40), style="cyan"),
    ]


def _emit_causes(now: Course, before: Course, periods: list[datetime]) -> None:
    """Below the bars: what it was, each cause with its own course."""
    from bounce_watch.cli.common.charts import line
    from bounce_watch.cli.common.output import Column, Form, emit

    ranked = sorted(now.causes, key=lambda name: (-now.causes[name].total(), name))
    rows = [
        {
            "cause": name,
            "mails": now.causes[name].total(),
            "change": _compared(now.causes[name].total(), _before(before, name), before),
            "course": line([now.causes[name][at] for at in periods]),
        }
        for name in ranked[:FIRST_CAUSES]
    ]
    rows.append(
        {
            "cause": "all",
            "mails": now.total,
            "change": _compared(now.total, before.total, before),
            "course": "",
        }
    )
    columns = [
        Column(key="cause", title="Cause"),
        Column(key="mails", title="Mails", right=True),
        Column(key="change", title="Compared with before"),
        Column(key="course", title="", style="cyan", gives_way=True, cut=True),
    ]
    emit(rows, columns, Form.TABLE)


def _compared(now: int, then: int, before: Course) -> str:
    """Compare with the same span before; when there was nothing at all, we did not watch then."""
    from bounce_watch.cli.common.charts import change

    return change(now, then) if before.total else ""


def _before(before: Course, name: str) -> int:
    return before.causes[name].total() if name in before.causes else 0
