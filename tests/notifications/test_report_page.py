"""The report page as text: what it says, what it forbids, and that nothing from a mail becomes markup."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import pairwise
from typing import Any

import pytest

from bounce_watch import shipped_files
from bounce_watch.model import Cause, Count, HourCount, IncidentState, Overview
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.notifications.report_page import charts
from bounce_watch.notifications.report_page.page import report_page

HOSTILE = """</script></style><script>alert(1)</script><img src=x onerror=alert(2)>"'{{ 7*7 }}@@script@@"""


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates([shipped_files.templates()])


def page_of(templates: Templates, overview: Overview) -> str:
    return report_page(templates, overview, template_samples.NOW)


def between(page: str, tag: str) -> str:
    return re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]  # type: ignore[index]


def test_the_policy_allows_exactly_the_two_inline_texts_and_nothing_else(templates: Templates) -> None:
    """A hash that does not fit would leave the page bare; a looser policy would let a mail's text run."""
    page = page_of(templates, template_samples.overview())
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])  # type: ignore[index]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for name, tag in (("style-src", "style"), ("script-src", "script")):
        text = hashlib.sha256(between(page, tag).encode()).digest()
        assert rules.pop(name) == f"'sha256-{base64.b64encode(text).decode()}'"
    assert rules == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


def test_the_page_refers_to_nothing_outside_itself(templates: Templates) -> None:
    page = page_of(templates, template_samples.overview())
    assert not re.search(r"(?i)(src|href|action|data|poster)\s*=\s*[\"']?(?!#)[^\"'#>\s]", page)
    assert not re.search(r"(?i)url\(|@import|https?://|\sstyle=|\son[a-z]+=", page)


def test_texts_from_mails_become_no_markup(templates: Templates) -> None:
    facts = template_samples.overview()
    listed = facts.bounces[0]
    bounce = replace(
        listed.bounce,
        sender=HOSTILE,
        recipient=HOSTILE,
        diagnostic_code=HOSTILE,
        status=HOSTILE,
        reply_code=HOSTILE,
    )
    story = facts.stories[0]
    finding = replace(story.incident.finding, key=HOSTILE, senders=(HOSTILE,), statuses=(HOSTILE,))
    steps = tuple(replace(step, note=HOSTILE, by=HOSTILE, change=HOSTILE) for step in story.steps)
    hostile = replace(
        facts,
        organisation=HOSTILE,
        senders=(Count(label=HOSTILE, now=1),),
        domains=(Count(label=HOSTILE, now=1),),
        codes=(Count(label=HOSTILE, now=1),),
        withheld=(Count(label=HOSTILE, now=1),),
        bounces=(replace(listed, bounce=bounce, subject=HOSTILE),),
        stories=(replace(story, incident=replace(story.incident, finding=finding), steps=steps),),
    )
    page = page_of(templates, hostile)
    assert page.count("<script") == page.count("</script") == page.count("<style") == 1
    assert "<img" not in page
    assert "{{ 7*7 }}" in page


def test_the_hours_of_a_day_land_in_the_local_day(templates: Templates) -> None:
    """23:30 UTC on the 9th is the 10th in Berlin."""
    late = HourCount(at=datetime(2026, 11, 9, 23, tzinfo=UTC), cause=Cause.MAILBOX_FULL, messages=5)
    facts = replace(
        template_samples.overview(),
        since=datetime(2026, 11, 8, 23, tzinfo=UTC),
        until=datetime(2026, 11, 12, 23, tzinfo=UTC),
        ticks=(late,),
    )
    chart: Any = charts.timeline(facts)
    assert [(one["day"], one["total"]) for one in chart["columns"]] == [
        ("2026-11-09", 0),
        ("2026-11-10", 5),
        ("2026-11-11", 0),
        ("2026-11-12", 0),
    ]
    heat: Any = charts.heat((late,), "Europe/Berlin")
    assert heat[1]["cells"][0]["now"] == 5


@pytest.mark.parametrize("days", [1, 7, 70, 71, 400, 4000])
def test_every_mail_is_in_one_column_however_long_the_span(days: int) -> None:
    end = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    causes = list(Cause)
    ticks = tuple(
        HourCount(at=end - timedelta(hours=hour), cause=causes[hour % len(causes)], messages=1 + hour % 3)
        for hour in range(1, days * 24, max(days // 10, 1))
    )
    facts = replace(template_samples.overview(), since=end - timedelta(days=days), until=end, ticks=ticks)
    chart: Any = charts.timeline(facts)
    assert sum(one["total"] for one in chart["columns"]) == sum(tick.messages for tick in ticks)
    assert len(chart["columns"]) <= max(71, days // 7 + 2)
    assert len(chart["legend"]) <= charts.COLORS
    parts = [part for one in chart["columns"] for part in one["parts"]]
    assert all(part["y"] >= 0 and part["y"] + part["height"] <= charts.HEIGHT + 0.2 for part in parts)


@pytest.mark.parametrize(("most", "ceiling"), [(0, 4), (1, 4), (5, 8), (26, 40), (41, 80), (999, 1200)])
def test_the_axis_ends_at_a_round_number(most: int, ceiling: int) -> None:
    facts = template_samples.overview()
    tick = HourCount(at=facts.since, cause=Cause.MAILBOX_FULL, messages=most)
    chart: Any = charts.timeline(replace(facts, ticks=(tick,)))
    assert chart["lines"][-1]["label"] == ceiling


def test_a_quiet_span_says_so_instead_of_drawing_nothing(templates: Templates) -> None:
    facts = template_samples.overview()
    quiet = Overview(
        organisation="Contoso", time_zone="UTC", since=facts.since, until=facts.until, messages=0
    )
    page = page_of(templates, quiet)
    assert "No mail came back in this time." in page
    assert "No incident was open in this time." in page
    assert "<svg" not in page


@pytest.mark.parametrize("days", [7, 30, 400])
def test_the_chart_of_a_phone_has_columns_and_labels_that_can_be_read_there(days: int) -> None:
    """One unit is about a pixel: columns of at least four, and labels that do not touch."""
    facts = replace(template_samples.overview(), since=template_samples.NOW - timedelta(days=days))
    chart: Any = charts.timeline(facts, charts.NARROW)
    assert all(part["width"] >= 3 for column in chart["columns"] for part in column["parts"])
    labelled = [column["middle"] for column in chart["columns"] if column["label"]]
    assert all(later - earlier >= 38 for earlier, later in pairwise(labelled))


def test_every_mail_is_in_one_cell_of_the_phone_s_heat_map() -> None:
    facts = template_samples.overview()
    wide: Any = charts.heat(facts.ticks, facts.time_zone)
    narrow: Any = charts.heat(facts.ticks, facts.time_zone, hours=3)
    for whole, parts in zip(wide, narrow, strict=True):
        assert len(parts["cells"]) == 8
        assert sum(cell["now"] for cell in whole["cells"]) == sum(cell["now"] for cell in parts["cells"])


def test_an_archived_incident_is_not_called_resolved(templates: Templates) -> None:
    facts = template_samples.overview()
    story = facts.stories[0]
    archived = replace(story.incident, state=IncidentState.ARCHIVED, resolved_at=template_samples.NOW)
    page = page_of(templates, replace(facts, stories=(replace(story, incident=archived, steps=()),)))
    assert "Archived, not confirmed as fixed" in page
    assert "Resolved" not in page
