"""The report page of the sample week, in a real browser."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import pytest
from playwright.sync_api import Browser, Page

from tests.cli.conftest import call
from tests.servers.browser import start_browser

Scheme = Literal["light", "dark"]

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("browser")]
SPAN = ("--since", "2026-11-08", "--until", "2026-11-16")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as started:
        yield started


@pytest.fixture(scope="module")
def written(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "report.html"
    call("--config", str(demo / "config.toml"), "report", "--out", str(out), *SPAN)
    return out


@pytest.fixture
def page(browser: Browser, written: Path) -> Iterator[Page]:
    one = browser.new_context(locale="en-GB").new_page()
    one.goto(written.as_uri())
    yield one
    one.context.close()


@dataclass
class Watched:
    """A page with every address that it asked for and every complaint of the browser."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def watch(browser: Browser, file: Path) -> Watched:
    """Open the file and listen from its first request on."""
    watched = Watched(browser.new_context(locale="en-GB").new_page())
    watched.page.on("request", lambda request: watched.asked.append(request.url))
    watched.page.on("console", lambda message: watched.complaints.append(message.text))
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    watched.page.goto(file.as_uri())
    return watched


def figures(page: Page, name: str) -> dict[str, int]:
    """Return what a table shows, in its order."""
    rows = page.locator(f"table[data-name='{name}'] tbody tr")
    return {
        row.locator("td").nth(0).inner_text(): int(row.locator("td").nth(1).inner_text())
        for row in rows.all()
    }


def test_the_page_shows_what_the_store_knows(page: Page, demo: Path) -> None:
    """Each figure is asked of the store by another command."""
    config = ("--config", str(demo / "config.toml"))
    senders = [json.loads(line) for line in call(*config, "top", "sender", "--json").stdout.splitlines()]
    stats = json.loads(call(*config, "stats", "--json").stdout)
    shown = figures(page, "senders")
    assert list(shown.items())[:10] == [(one["sender"], one["mails"]) for one in senders]
    incidents = [
        json.loads(line) for line in call(*config, "incidents", "list", "--json").stdout.splitlines()
    ]
    names = [text.split(" · ")[0] for text in page.locator("article.story .head .quiet").all_inner_texts()]
    assert sorted(names) == sorted(one["incident"] for one in incidents)
    assert page.locator("table[data-name='bounces'] tbody tr").count() == stats["bounces"]
    trend = [
        json.loads(line)
        for line in call(*config, "trend", *SPAN, "--by", "day", "--json").stdout.splitlines()
    ]
    page.get_by_text("The figures as a table").click()
    assert [figure for figure in figures(page, "days").values() if figure] == [
        one["mails"] for one in trend if one["mails"]
    ]


def test_the_browser_fetches_nothing_and_complains_about_nothing(browser: Browser, written: Path) -> None:
    watched = watch(browser, written)
    watched.page.wait_for_timeout(50)
    assert watched.asked == [written.as_uri()]
    assert watched.complaints == []
    watched.page.context.close()


def test_a_head_sorts_its_table_both_ways_and_says_so(page: Page) -> None:
    table = page.locator("table[data-name='senders']")
    names = list(figures(page, "senders"))
    table.get_by_role("button", name="Sender").click()
    assert list(figures(page, "senders")) == sorted(names)
    assert table.locator("th").nth(0).get_attribute("aria-sort") == "ascending"
    table.get_by_role("button", name="Sender").click()
    assert list(figures(page, "senders")) == sorted(names, reverse=True)
    table.get_by_role("button", name="Mails").click()
    assert list(figures(page, "senders").values()) == sorted(figures(page, "senders").values(), reverse=True)
    assert table.locator("th").nth(0).get_attribute("aria-sort") is None


def test_a_filter_leaves_the_rows_with_its_text_and_counts_them(page: Page) -> None:
    rows = page.locator("table[data-name='bounces'] tbody tr")
    box = page.get_by_role("searchbox", name="Show only bounces with this text")
    box.fill("JONAS.WEBER")
    seen = [text for text in rows.all_inner_texts() if text.strip()]
    visible = rows.locator("visible=true")
    assert 0 < visible.count() < len(seen)
    assert all("jonas.weber" in text for text in visible.all_inner_texts())
    assert f"{visible.count()} of {rows.count()}" in page.locator(".filter", has=box).inner_text()
    box.fill("")
    assert rows.locator("visible=true").count() == rows.count()


def test_the_page_can_be_used_with_the_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the incidents"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focus = page.locator(":focus")
    assert focus.inner_text().startswith("What happened")
    page.keyboard.press("Enter")
    assert page.locator("article.story details").first.get_attribute("open") is not None
    head = page.locator("table[data-name='codes'] button").first
    head.focus()
    page.keyboard.press("Enter")
    assert page.locator("table[data-name='codes'] th").first.get_attribute("aria-sort") == "ascending"


@pytest.mark.parametrize("width", [360, 768, 1200])
@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_nothing_sticks_out_and_all_text_can_be_read(
    browser: Browser, written: Path, width: int, scheme: Scheme
) -> None:
    """No sideways scrolling of the page, and a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(written.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []


def test_a_script_that_somebody_adds_does_not_run(browser: Browser, written: Path, tmp_path: Path) -> None:
    """The policy of the page itself, not our escaping, is what this asks."""
    added = '<script>document.title="taken"</script><img src="x" onerror="document.title=\'taken\'">'
    changed = tmp_path / "changed.html"
    changed.write_text(
        written.read_text(encoding="utf-8").replace("</main>", f"{added}</main>"), encoding="utf-8"
    )
    watched = watch(browser, changed)
    watched.page.wait_for_timeout(100)
    assert watched.page.title().startswith("Mail that came back")
    assert any("Content Security Policy" in text for text in watched.complaints)


def test_the_printed_page_has_every_bounce_and_no_controls(page: Page) -> None:
    page.emulate_media(media="print")
    assert page.locator(".filter").locator("visible=true").count() == 0
    assert page.evaluate(
        "[...document.querySelectorAll('.scroll')].every(e => e.scrollHeight <= e.clientHeight + 1)"
    )
    assert page.pdf().startswith(b"%PDF")


def test_only_its_owner_can_read_the_file(written: Path) -> None:
    assert written.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_is_named(demo: Path, tmp_path: Path) -> None:
    target = tmp_path / "absent" / "report.html"
    done = call("--config", str(demo / "config.toml"), "report", "--out", str(target), status=2)
    assert "cannot be written" in re.sub(r"\s+", " ", done.stderr)
    assert not any(tmp_path.iterdir())


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || one.closest("script, svg, .unseen, .skip")) continue;
    const [a, b] = [light(parse(getComputedStyle(one).color)), light(ground(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.add(`${one.tagName}.${one.className} ${text.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return [...poor];
}"""
