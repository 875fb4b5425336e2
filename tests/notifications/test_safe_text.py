"""Text of others is fit for people."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounce_watch.notifications.rendering.safe_text import defang, for_terminal, plain, quoted

FILLERS = "\u115f\u1160\u3164\uffa0\u2800"
"""Hangul fillers and the Braille blank: they print nothing and are no format characters."""


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        pytest.param("Offer 4711", "Offer 4711", id="ordinary"),
        pytest.param("a\r\nBcc: x", "a Bcc: x", id="line-break"),
        pytest.param("a\x1b[31mred", "a [31mred", id="escape"),
        pytest.param("a\u202etxt.exe", "atxt.exe", id="bidi"),
        pytest.param("a\u200b\u2060b", "ab", id="zero-width"),
        pytest.param("a\u2028b", "a b", id="line-separator"),
        pytest.param("a\udcffb", "a\ufffdb", id="surrogate"),
        pytest.param("  a \t b  ", "a b", id="spaces"),
        pytest.param("e\u0301", "é", id="composed"),
        pytest.param("\u3164x", "x", id="filler"),
        pytest.param(None, "", id="absent"),
        pytest.param("x" * 30, "x" * 19 + "…", id="cut"),
        pytest.param("x" * 20, "x" * 20, id="just-fits"),
    ],
)
def test_text_is_cleaned(text: str | None, clean: str) -> None:
    assert plain(text, 20) == clean


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        pytest.param("see http://evil.example/x", "see hxxp[:]//evil[.]example/x", id="http"),
        pytest.param("HTTPS://evil.example", "Hxxps[:]//evil[.]example".replace("xxps", "xxPS"), id="https"),
        pytest.param("www.evil.example", "www[.]evil[.]example", id="www"),
        pytest.param("mailto:x@evil.example", "mailto[:]x@evil[.]example", id="mailto"),
        pytest.param("javascript:alert(1)", "javascript[:]alert(1)", id="javascript"),
        pytest.param("ftp://192.0.2.1", "ftp[:]//192.0.2.1", id="ftp"),
        pytest.param("evil。example", "evil[.]example", id="ideographic"),
        pytest.param("550 5.7.1 at 192.0.2.1", "550 5.7.1 at 192.0.2.1", id="codes-stay"),
        pytest.param("Report.pdf", "Report.pdf", id="file-stays"),
        pytest.param("Report.pdf.example", "Report.pdf[.]example", id="file-that-is-a-host"),
        pytest.param("setup.zip", "setup[.]zip", id="a-top-level-domain"),
        pytest.param("end. Next", "end. Next", id="sentence-stays"),
        pytest.param(
            "550 5.1.10 RESOLVER.ADR.RecipNotFound; TRANSPORT.RULES.RejectMessage QUEUE.Expired",
            "550 5.1.10 RESOLVER.ADR.RecipNotFound; TRANSPORT.RULES.RejectMessage QUEUE.Expired",
            id="the-server's-words-stay",
        ),
        pytest.param("Offer v2.draft", "Offer v2.draft", id="a-word-stays"),
        pytest.param("EVIL.Com/x", "EVIL[.]Com/x", id="a-host-in-capitals"),
        pytest.param("www.evil.qqqq", "www[.]evil[.]qqqq", id="www-of-any-domain"),
        pytest.param("help@desk.qqqq", "help@desk[.]qqqq", id="an-address-of-any-domain"),
        pytest.param("p.me@evil.example", "p.me@evil[.]example", id="a-local-part-stays"),
    ],
)
def test_links_are_broken(text: str, broken: str) -> None:
    assert defang(text) == broken


def test_an_address_that_the_letter_is_about_stays_letter_by_letter() -> None:
    text = "petra.meier@nordwerk.example unknown, write to Petra.Meier@NORDWERK.example or x@nordwerk.example"
    assert defang(text, ["petra.meier@nordwerk.example"]) == text.replace(
        "x@nordwerk.example", "x@nordwerk[.]example"
    )
    evil = "xpetra.meier@nordwerk.example petra.meier@nordwerk.example.evil.example"
    assert "evil.example" not in defang(evil, ["petra.meier@nordwerk.example"])


@given(st.text(max_size=200))
def test_text_on_a_terminal_cannot_act(text: str) -> None:
    """No invisible character, no control and no line separator is left."""
    shown = for_terminal(text)
    categories = {unicodedata.category(character) for character in shown}
    assert not any(category[0] == "C" or category in ("Zl", "Zp") for category in categories)
    assert not set(shown) & set(FILLERS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b]8;;x", "a\\x1b]8;;x"),
        ("\u202e", "\\u202e"),
        ("\U000e0041", "\\U000e0041"),
        ("ä", "ä"),
        ("\n", "\\n"),
        ("\u0378", "\\u0378"),
        *((filler, f"\\u{ord(filler):04x}") for filler in FILLERS),
    ],
)
def test_what_is_hidden_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


@given(st.text(max_size=600))
def test_a_quote_is_one_short_line_without_links(text: str) -> None:
    line = quoted(text + " http://evil.example")
    assert len(line) <= 300
    assert "http" not in line.replace("hxxp", "").lower() or "://" not in line
    assert not any(unicodedata.category(character)[0] == "C" for character in line)


def test_long_text_costs_linear_time() -> None:
    """A megabyte of dots and colons is cleaned in well under a second: only what is shown is read."""
    started = time.perf_counter()
    quoted("a." * 500_000)
    quoted("http:" * 200_000)
    assert time.perf_counter() - started < 0.5
