"""The check of the catalogs finds what is missing, in doubt, left over or cannot be filled in."""

import shutil
from pathlib import Path

import pytest

from tools import messages

LOCALE = messages.ROOT / "templates" / "locale"


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every English text of the templates and the code."""
    target = tmp_path_factory.mktemp("english") / "bounce_watch.pot"
    messages.collect(target)
    return target


@pytest.fixture
def german(tmp_path: Path) -> Path:
    copy = tmp_path / "bounce_watch.po"
    shutil.copyfile(LOCALE / "de" / "LC_MESSAGES" / "bounce_watch.po", copy)
    return copy


def change(catalog: Path, old: str, new: str) -> Path:
    text = catalog.read_text(encoding="utf-8")
    assert text.count(old) == 1
    catalog.write_text(text.replace(old, new), encoding="utf-8")
    return catalog


@pytest.mark.parametrize("language", sorted(path.name for path in LOCALE.iterdir()))
def test_our_catalogs_are_complete(english: Path, language: str) -> None:
    """Run `make messages` after a change of an English text, then translate what it names."""
    assert list(messages.problems(english, LOCALE / language / "LC_MESSAGES" / "bounce_watch.po")) == []


HELLO = 'msgid "Hello,"\nmsgstr "Guten Tag,"\n'


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        pytest.param("", "not translated: 'Hello,'", id="an entry taken away"),
        pytest.param('msgid "Hello,"\nmsgstr ""\n', "not translated: 'Hello,'", id="an empty one"),
        pytest.param(f"#, fuzzy\n{HELLO}", "fuzzy, review it: 'Hello,'", id="one in doubt"),
        pytest.param(
            f'{HELLO}\nmsgid "Hi,"\nmsgstr "Tag,"\n', "no text of this wording: 'Hi,'", id="one too many"
        ),
        pytest.param(
            f'{HELLO}\n#~ msgid "Hi,"\n#~ msgstr "Tag,"\n', "no text of this wording: 'Hi,'", id="obsolete"
        ),
    ],
)
def test_a_catalog_with_a_fault_is_named(english: Path, german: Path, new: str, problem: str) -> None:
    assert list(messages.problems(english, change(german, HELLO, new))) == [problem]


def test_a_dropped_value_is_named(english: Path, german: Path) -> None:
    (problem,) = messages.problems(english, change(german, "Fragen? Support: %(support)s", "Fragen?"))
    assert "'Fragen?' lacks %(support)s" in problem


def test_the_command_fails_for_a_fault(
    english: Path, german: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "locale" / "de" / "LC_MESSAGES"
    place.mkdir(parents=True)
    shutil.move(change(german, HELLO, ""), place)
    assert messages.main(["--check", "--locale", str(tmp_path / "locale")]) == 1
    assert "de: not translated: 'Hello,'" in capsys.readouterr().err
    assert messages.main(["--locale", str(tmp_path / "locale")]) == 0
    assert 'msgid "Hello,"\nmsgstr ""\n' in (place / "bounce_watch.po").read_text(encoding="utf-8")
