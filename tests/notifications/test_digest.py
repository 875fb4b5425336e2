"""The digest: problems first, numbers beside every colour, a text that is just as good."""

import re
from dataclasses import replace
from datetime import timedelta
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pytest

from bounce_watch.model import Count, Digest, Edition, Health, IncidentState, Severity
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.digest.wording import headline_of
from bounce_watch.notifications.rendering import charts
from bounce_watch.notifications.rendering.translator import Translator

ENGLISH = Translator("en", NullTranslations())


def written(composer: Composer, digest: Digest) -> tuple[str, str, str]:
    letter = composer.digest(digest, event_key="2026-11-24", to="admin@contoso.example")
    return letter.subject, letter.text, letter.html


def test_no_line_is_wider_than_78(composer: Composer) -> None:
    long = tuple(Count(label="x" * 70 + f"@{n}.example", now=10**n, before=7) for n in range(6))
    text = written(composer, replace(template_samples.digest(), senders=long, domains=long))[1]
    assert max(map(len, text.splitlines())) <= 78


def test_numbers_stand_in_one_column(composer: Composer) -> None:
    text = written(composer, template_samples.digest())[1]
    rows = [
        line
        for line in text.splitlines()
        if re.match(r"  \S.*\s\d+(\s|$)", line) and not line.startswith("  *")
    ]
    chart = [line for line in rows if "#" in line]
    assert len(chart) == 6
    assert {re.match(r"  (.{36}) ( *\d+)", line).end() for line in chart} == {44}  # type: ignore[union-attr]


def test_problems_come_first(composer: Composer) -> None:
    text = written(composer, template_samples.digest())[1]
    parts = [
        "NEW INCIDENTS",
        "STILL OPEN",
        "OWNERS",
        "TOP CAUSES",
        "REPLIES TO COLLEAGUES",
        "THE MAILBOX",
        "HEALTH",
    ]
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)


def test_the_gravest_incident_comes_first(composer: Composer) -> None:
    digest = replace(
        template_samples.digest(),
        opened=(
            template_samples.incident(number=3, severity=Severity.LOW),
            template_samples.incident(number=9),
        ),
    )
    text = written(composer, digest)[1]
    assert text.index("INC-9") < text.index("INC-3")


def test_a_new_incident_says_what_to_do(composer: Composer) -> None:
    text = written(composer, template_samples.digest())[1]
    assert "1. Disable the account." in text


def test_an_incident_that_opened_again_says_so(composer: Composer) -> None:
    again = replace(template_samples.incident(number=9), reopened=1)
    digest = replace(
        template_samples.digest(), opened=(again, template_samples.incident(number=3)), still_open=()
    )
    told = re.findall(r"(INC-\d+):.*\n(?:  .*\n)??  (Reopened; )?(?i:since)", written(composer, digest)[1])
    assert told == [("INC-3", ""), ("INC-9", "Reopened; ")]


def test_an_incident_that_another_explains_names_it_and_repeats_no_steps(composer: Composer) -> None:
    explained = replace(template_samples.incident(number=9), suppressed_by=3)
    digest = replace(
        template_samples.digest(), opened=(explained, template_samples.incident(number=3)), still_open=()
    )
    text = written(composer, digest)[1]
    assert "Explained by INC-3." in text
    assert text.count("1. Disable the account.") == 1


def test_a_resolved_incident_asks_for_nothing(composer: Composer) -> None:
    over = replace(
        template_samples.incident(),
        state=IncidentState.RESOLVED,
        resolved_at=template_samples.NOW - timedelta(hours=1),
    )
    digest = replace(template_samples.digest(), opened=(), still_open=(), resolved=(over,))
    _, text, html = written(composer, digest)
    assert "Resolved, INC-7" in text
    assert "Resolved Tue, Nov 24, 2026, 06:00" in text
    assert "Confirm the block" not in text + html


def test_the_text_tells_what_the_page_tells(composer: Composer) -> None:
    """Every label and number of the page stands in the text too."""
    _, text, html = written(composer, template_samples.digest())
    flat = " ".join(text.split()).lower()
    cells = re.findall(r'<td[^>]*class="(?:label|value)"[^>]*>(.*?)</td>', html, re.DOTALL)
    assert len(cells) > 20
    for cell in cells:
        for piece in re.sub(r"<[^>]+>|&nbsp;|\xa0", " ", cell).split():
            assert piece.lower() in flat


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [(5, None, ""), (5, 5, "="), (14, 5, "▲ 9"), (1, 5, "▼ 4"), (3, 0, "▲ 3"), (0, 0, "=")],
)
def test_a_change_has_a_sign_and_a_number(now: int, before: int | None, change: str) -> None:
    assert charts.change(Count(label="x", now=now, before=before)) == change


@pytest.mark.parametrize(
    ("numbers", "widths"),
    [((10, 5, 0), [100, 50, 0]), ((1000, 1), [100, 1]), ((0, 0), [0, 0]), ((), [])],
)
def test_bars_are_shares_of_the_largest(numbers: tuple[int, ...], widths: list[int]) -> None:
    rows = charts.bars([Count(label="x", now=number) for number in numbers])
    assert [row["width"] for row in rows] == widths


def test_a_chart_shows_ten_rows(composer: Composer) -> None:
    many = tuple(Count(label=f"p{n}@contoso.example", now=40 - n) for n in range(30))
    text = written(composer, replace(template_samples.digest(), senders=many))[1]
    assert "p9@contoso.example" in text
    assert "p10@contoso.example" not in text


def test_a_quiet_day_is_one_line(composer: Composer) -> None:
    subject, text, html = written(composer, template_samples.digest(empty=True))
    assert subject == "Bounce digest, Tue, Nov 24, 2026: no bounces"
    assert "TOP CAUSES" not in text
    assert len(text.splitlines()) < 10
    assert "<h2" not in html


def test_a_quiet_day_with_a_failing_check_says_so(composer: Composer) -> None:
    ill = replace(
        template_samples.digest(empty=True),
        health=(Health(name="Mailbox", state="failure", text="no sign-in"),),
    )
    subject, text, _ = written(composer, ill)
    assert subject.endswith("a check failed (Mailbox), 0 messages bounced")
    assert "failure: Mailbox: no sign-in" in text


@pytest.mark.parametrize(
    ("change", "headline"),
    [
        pytest.param({}, "1 new incident, 42 messages bounced", id="new"),
        pytest.param({"opened": ()}, "1 open incident, 42 messages bounced", id="open"),
        pytest.param({"opened": (), "still_open": ()}, "no incidents, 42 messages bounced", id="none"),
        pytest.param(
            {"opened": (), "still_open": (), "messages": Count(label="", now=1)},
            "no incidents, 1 message bounced",
            id="one",
        ),
    ],
)
def test_the_headline_tells_the_day(change: dict[str, Any], headline: str) -> None:
    assert headline_of(ENGLISH, replace(template_samples.digest(), **change)) == headline


def test_the_page_needs_nothing_from_outside(composer: Composer) -> None:
    html = written(composer, template_samples.digest())[2]
    assert not re.search(r"(?i)<(img|svg|canvas|link|script)\b|src=|url\(|@import", html)


def test_reports_that_nobody_believes_are_told_on_quiet_days_too(composer: Composer) -> None:
    text = written(composer, replace(template_samples.digest(empty=True), unverified=40))[1]
    assert "40 reports could not be verified to be about our mail" in text


def test_a_check_that_failed_stands_above_all_incidents(composer: Composer) -> None:
    ill = (Health(name="Mailbox", state="failure", text="no sign-in"),)
    text = written(composer, replace(template_samples.digest(), health=ill))[1]
    assert text.index("failure: Mailbox: no sign-in") < text.index("NEW INCIDENTS")


@pytest.mark.parametrize(
    ("language", "subject", "heading", "count"),
    [
        ("de", "1 neuer Vorfall, 42 Nachrichten nicht zugestellt", "HÄUFIGSTE URSACHEN", "▲ und ▼"),
        ("es", "1 incidente nuevo, 42 mensajes no entregados", "CAUSAS PRINCIPALES", "▲ y ▼"),
        ("fr", "1 nouvel incident, 42 messages non remis", "CAUSES PRINCIPALES", "▲ et ▼"),
        ("it", "1 nuovo incidente, 42 messaggi non recapitati", "CAUSE PRINCIPALI", "▲ e ▼"),
        ("nl", "1 nieuw incident, 42 berichten niet bezorgd", "BELANGRIJKSTE OORZAKEN", "▲ en ▼"),
        ("pt", "1 novo incidente, 42 mensagens não entregues", "PRINCIPAIS CAUSAS", "▲ e ▼"),
    ],
)
def test_the_digest_is_in_our_language(
    templates: Path, language: str, subject: str, heading: str, count: str
) -> None:
    """Every edition, quiet or not: no line of ours is left in English, nor too wide."""
    composer = Composer([templates], replace(template_samples.ORGANISATION, language=language))
    letter = composer.digest(template_samples.digest(), event_key="x", to="a@b.example")
    assert letter.language == language
    assert letter.subject.endswith(subject)
    assert heading in letter.text
    assert count in letter.text
    assert max(map(len, letter.text.splitlines())) <= 78
    for edition, missed in ((Edition.DAILY, 3), (Edition.WEEKLY, 0), (Edition.MONTHLY, 0)):
        for empty in (False, True):
            digest = replace(template_samples.digest(empty), edition=edition, missed=missed, unverified=2)
            told = composer.digest(digest, event_key="x", to="a@b.example")
            assert told.language == language
            assert not re.search(r"\b(against|Written by|week to|reports|Since|owner)\b", told.text)
