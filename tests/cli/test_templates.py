"""`templates`: every text can be seen, and a faulty one of the site is named."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import call

BROKEN = "{% block headline %}x{% endblock %}\n{% block steps %}{{ nobody }}{% endblock %}"


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """An environment in which no configuration is found."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "BOUNCE_WATCH_CONFIG": ""}


def test_the_list_tells_which_texts_the_site_replaced(tmp_path: Path, nowhere: dict[str, str]) -> None:
    own = tmp_path / "replies" / "en"
    own.mkdir(parents=True)
    (own / "mailbox_full.j2").write_text("x")
    (own.parent / "mail_loop.j2").write_text("x")
    catalog = tmp_path / "locale" / "sv" / "LC_MESSAGES"
    catalog.mkdir(parents=True)
    (catalog / "bounce_watch.po").write_text("")
    out = call("templates", "list", "--folder", str(tmp_path), "--json", environ=nowhere).stdout
    rows = {row["name"]: row for row in map(json.loads, out.splitlines())}
    assert rows["mailbox_full"]["own"] == ["en"]
    assert rows["mail_loop"]["own"] == ["all"]
    assert rows["spf_failed"]["own"] == []
    assert rows["locale/sv"]["own"] == ["sv"]
    assert {"en", "de"} <= set(rows["spf_failed"]["languages"])
    assert "layout.html.j2" in rows


def test_a_preview_is_printed_as_text(nowhere: dict[str, str]) -> None:
    out = call("templates", "preview", "mailbox_full", "--language", "de", environ=nowhere).stdout
    assert out.startswith("--- mailbox_full.de\nSubject: Ihre E-Mail an lena@fabrikam.example")
    assert "1. " in out


def test_a_preview_is_written_as_text_and_page(tmp_path: Path, nowhere: dict[str, str]) -> None:
    out = tmp_path / "out"
    call(
        "templates",
        "preview",
        "spf_failed",
        "mail_loop",
        "--language",
        "en",
        "--out",
        str(out),
        environ=nowhere,
    )
    assert sorted(path.name for path in out.iterdir()) == [
        *("mail_loop.en.html", "mail_loop.en.txt", "spf_failed.en.html", "spf_failed.en.txt"),
    ]
    assert (out / "spf_failed.en.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, nowhere: dict[str, str]) -> None:
    (tmp_path / "file").touch()
    place = str(tmp_path / "file" / "x")
    for command in (["templates", "preview", "mail_loop", "--out", place], ["demo", "--folder", place]):
        done = call(*command, status=2, environ=nowhere)
        assert "cannot be made: Not a directory" in " ".join(done.stderr.split()).replace("│ ", "")
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "asked", [["no_such_cause"], ["mailbox_full", "--language", "xx"], ["mailbox_full", "--side", "both"]]
)
def test_what_does_not_exist_is_said(asked: list[str], nowhere: dict[str, str]) -> None:
    call("templates", "preview", *asked, status=2, environ=nowhere)


@pytest.mark.slow
def test_the_check_names_file_and_line(tmp_path: Path, nowhere: dict[str, str]) -> None:
    own = tmp_path / "replies" / "en"
    own.mkdir(parents=True)
    (own / "mailbox_full.j2").write_text(BROKEN)
    done = call("templates", "check", "--folder", str(tmp_path), status=1, environ=nowhere)
    assert done.stdout.splitlines() == ["replies/en/mailbox_full.j2, line 2: 'nobody' is undefined"]
    assert "1 problems" in done.stderr
