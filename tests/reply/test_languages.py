"""Languages: every folder is complete, and says as much as the English one."""

import re
from pathlib import Path

import pytest

from bounce_watch.model import Cause, Owner
from bounce_watch.reply import samples
from bounce_watch.reply.compose import Composer

REPLIES = Path(__file__).parents[2] / "templates" / "replies"
LANGUAGES = sorted(folder.name for folder in REPLIES.iterdir() if folder.is_dir() and folder.name != "en")


def texts(language: str) -> dict[str, str]:
    folder = REPLIES / language
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.j2")}


def names(text: str) -> dict[str, set[str]]:
    """Return the blocks of a text and the values it names."""
    tags = " ".join(re.findall(r"{[{%](.*?)[%}]}", text))
    values = re.findall(
        r"\b(support|incident|side|many|stale_entry|organisation|mail_subject|sent_at)\b", tags
    )
    return {"blocks": set(re.findall(r"{% block (\w+)", text)), "values": set(values)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_text(language: str) -> None:
    """A missing text would fall back to English, a stale one would never be used."""
    assert set(texts(language)) == set(texts("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_pieces(language: str) -> None:
    english = texts("en")
    for name, text in texts(language).items():
        assert names(text) == names(english[name]), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_includes_only_its_own_language(language: str) -> None:
    for text in texts(language).values():
        assert set(re.findall(r"replies/(\w+)/", text)) <= {language}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_written_in_the_language_of_the_report(
    composer: Composer, language: str, cause: Cause
) -> None:
    region = f"{language}-{language.upper()}"
    letter = composer.reply(samples.reply_facts(samples.bounce(cause, Owner.SENDER), language=region))
    assert letter.language == language
    assert "What to do now" not in letter.text


def test_the_organisation_decides_when_the_report_does_not_say(templates: Path) -> None:
    home = samples.Organisation(name="Contoso", support="4711", language="de")
    letter = Composer([templates], home).reply(
        samples.reply_facts(samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER))
    )
    assert (letter.language, letter.text.split()[0]) == ("de", "Guten")
