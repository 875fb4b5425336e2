"""The check of the translations finds what is missing, left over or stale."""

from pathlib import Path

import pytest

from tools import check_translations

FULL = "{% block headline %}the mailbox is full{% endblock %}\n"


@pytest.fixture
def replies(tmp_path: Path) -> Path:
    """One English text and its French translation, marked as reviewed."""
    folder = tmp_path / "replies"
    for language, text in (("en", FULL), ("fr", "{% block headline %}la boîte est pleine{% endblock %}\n")):
        (folder / language).mkdir(parents=True)
        (folder / language / "mailbox_full.j2").write_text(text, encoding="utf-8")
    check_translations.mark_reviewed(folder / "fr" / "mailbox_full.j2")
    return folder


def test_our_translations_are_complete_and_made_from_the_english_texts_as_they_stand() -> None:
    """After a change of an English text: look at the named files, right them, mark them as reviewed."""
    assert list(check_translations.problems(check_translations.REPLIES)) == []


def test_a_reviewed_translation_is_in_order(replies: Path) -> None:
    assert list(check_translations.problems(replies)) == []


def test_a_changed_english_text_makes_its_translation_stale_and_names_the_file(replies: Path) -> None:
    (replies / "en" / "mailbox_full.j2").write_text(FULL.replace("full", "too full"), encoding="utf-8")
    assert list(check_translations.problems(replies)) == [
        "templates/replies/fr/mailbox_full.j2: stale, the English text has changed since it was translated"
    ]


def test_another_layout_of_the_english_text_changes_nothing(replies: Path) -> None:
    (replies / "en" / "mailbox_full.j2").write_text(FULL.replace(" is ", "\n    is\n"), encoding="utf-8")
    assert list(check_translations.problems(replies)) == []


def test_a_missing_text_and_one_too_many_are_named(replies: Path) -> None:
    (replies / "fr" / "mailbox_full.j2").rename(replies / "fr" / "mailbox_ful.j2")
    assert [problem.partition(":")[0] for problem in check_translations.problems(replies)] == [
        "templates/replies/fr/mailbox_full.j2",
        "templates/replies/fr/mailbox_ful.j2",
    ]


def test_a_text_below_shared_is_looked_at_too(replies: Path) -> None:
    (replies / "en" / "shared").mkdir()
    (replies / "en" / "shared" / "step.j2").write_text("Phone the recipient.\n", encoding="utf-8")
    assert [problem.partition(":")[0] for problem in check_translations.problems(replies)] == [
        "templates/replies/fr/shared/step.j2"
    ]


def test_a_translation_without_a_mark_is_named(replies: Path) -> None:
    (replies / "fr" / "mailbox_full.j2").write_text(FULL, encoding="utf-8")
    assert [problem.partition(": ")[2] for problem in check_translations.problems(replies)] == [
        "the first line does not name its English text"
    ]


def test_marking_twice_leaves_one_mark(replies: Path) -> None:
    path = replies / "fr" / "mailbox_full.j2"
    before = path.read_text(encoding="utf-8")
    check_translations.mark_reviewed(path)
    assert path.read_text(encoding="utf-8") == before


def test_an_english_text_is_no_translation(capsys: pytest.CaptureFixture[str]) -> None:
    english = check_translations.REPLIES / "en" / "mailbox_full.j2"
    before = english.read_bytes()
    with pytest.raises(SystemExit):
        check_translations.main(["--reviewed", str(english)])
    assert "no translation" in capsys.readouterr().err
    assert english.read_bytes() == before
