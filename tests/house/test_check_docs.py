"""The check of the documents finds what it is there to find."""

from pathlib import Path

import pytest

from tools import check_docs, site_pages


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("see /" + "work/notes for more", id="folder of one machine"),
        pytest.param("index = https://" + "py" + "pi.org/simple", id="package registry"),
        pytest.param("mirror files." + "python" + "hosted.org", id="host below a registry's"),
    ],
)
def test_a_line_that_no_file_of_ours_may_hold_is_found(line: str) -> None:
    assert [number for number, _ in check_docs.forbidden(f"fine\n{line}\n")] == [2]


def test_an_ordinary_path_may_be_named() -> None:
    assert list(check_docs.forbidden("/var/lib/bounce-watch and docs/work/ and network/root/ are fine")) == []


def test_a_link_must_lead_to_a_file_and_a_heading(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# Setting it up, once\n")
    page = tmp_path / "page.md"
    lines = ["[a](there.md)", "[b](gone.md)", "[c](there.md#setting-it-up-once)", "[d](there.md#no)"]
    text = "\n".join([*lines, "[e](https://example.org/x)", "`[f](code.md)`"])
    assert [number for number, _ in check_docs.broken_links(page, text)] == [2, 4]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("One. Two.", [1], id="two sentences"),
        pytest.param("1. One thing.\n2. Another.", [], id="numbered steps"),
        pytest.param("| One. Two. |", [], id="a table is free"),
        pytest.param("```\nOne. Two.\n```", [], id="code is free"),
        pytest.param("Use it, e.g. On Monday.", [], id="an abbreviation"),
        pytest.param("# 1. Numbered heading", [], id="a numbered heading"),
        pytest.param("Ask first! Then act.", [1], id="an exclamation"),
    ],
)
def test_a_line_holds_one_sentence(text: str, found: list[int]) -> None:
    assert [number for number, _ in check_docs.crowded_lines(text)] == found


@pytest.mark.slow
def test_a_command_that_the_help_does_not_know_is_found() -> None:
    text = (
        "Say `bounce-watch explain 5.7.23`.\n```\nbounce-watch expalin 5.7.23\nbounce-watch run --onec\n```"
    )
    assert list(check_docs.unknown_commands(text)) == [
        (3, "no such command: bounce-watch expalin"),
        (4, "bounce-watch run has no option --onec"),
    ]
    assert list(check_docs.unknown_commands("Prose may say that bounce-watch does things.")) == []


def test_a_page_that_the_site_would_not_show_is_named() -> None:
    pages = [
        check_docs.ROOT / "docs" / name for name in ("here.md", "gone.md", "adr/0001-listed-by-itself.md")
    ]
    (line,) = check_docs.unlisted(pages, "nav:\n  - Here: here.md\n")
    assert line.startswith("docs/gone.md:")


@pytest.mark.parametrize(
    ("link", "on_the_site"),
    [
        pytest.param("[a](docs/service.md#secrets)", "[a](service.md#secrets)", id="page of docs"),
        pytest.param("![a](docs/images/digest.png)", "![a](images/digest.png)", id="picture"),
        pytest.param("[a](docs/adr)", "[a](adr/index.md)", id="folder of decisions"),
        pytest.param("[a](CONTRIBUTING.md)", "[a](contributing.md)", id="page that the site makes"),
        pytest.param("[a](tests/notifications/test_x.py)", "a", id="file that is not on the site"),
        pytest.param("[a](https://example.org/docs/x)", "[a](https://example.org/docs/x)", id="elsewhere"),
        pytest.param("[a](#install)", "[a](#install)", id="heading"),
    ],
)
def test_a_link_of_the_readme_leads_somewhere_on_the_site(link: str, on_the_site: str) -> None:
    assert site_pages.relinked(f"See {link}.") == f"See {on_the_site}."
