"""What follows a reply, in every language: nothing of the person's text acts, and no text is missing."""

from dataclasses import replace

import pytest

from bounce_watch import shipped_files
from bounce_watch.model import Cause, LetterKind, Owner
from bounce_watch.notifications.alert.wording import COMMANDS
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.facts import Done
from bounce_watch.notifications.replied_samples import confirmations, questions
from bounce_watch.notifications.template_samples import ORGANISATION, alert_facts, bounce, reply_facts

LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "pt")


def composer_in(language: str) -> Composer:
    return Composer([shipped_files.templates()], replace(ORGANISATION, language=language, reads_replies=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_in_every_language(language: str) -> None:
    composer = composer_in(language)
    written = [*map(composer.question, questions()), *map(composer.confirmation, confirmations())]
    assert {one.language for one in written} == {language}
    assert all("INC-7" in one.subject for one in written if one.kind is LetterKind.CONFIRMATION)
    assert all(one.reply_to == "mara@contoso.example" for one in written if one.kind is LetterKind.QUESTION)
    alert = composer.alert(alert_facts())
    assert alert.language == language
    assert COMMANDS in " ".join(alert.text.split())
    letter = composer.reply(reply_facts(bounce(Cause.MAILBOX_FULL, Owner.RECIPIENT_ADMIN), language=language))
    assert letter.language == language
    assert "monitored" not in letter.text


HOSTILE = (
    "{{7*7}} {% include 'x' %} <script>alert(1)</script>\x1b]8;;http://evil.example\x07 "
    "\u202etxt.exe\u2069 http://evil.example/login =?utf-8?q?x?=\r\n.\r\nQUIT\x00 \ud800"
)


def test_a_persons_words_are_plain_text() -> None:
    facts = replace(questions()[0], words=f"{HOSTILE}\n\nsecond", subject=HOSTILE)
    letter = composer_in("en").question(facts)
    for text in (letter.text, letter.html):
        assert not {"\x1b", "\x07", "\x00", "\u202e", "\ud800"} & set(text)
        assert "http://evil.example" not in text
        assert "{{7*7}}" in text
    assert "<script>" not in letter.html
    assert "second" in letter.text
    note = replace(confirmations()[0], done=Done.NOTED, note=HOSTILE)
    assert "http://evil" not in composer_in("en").confirmation(note).text


def test_long_words_are_cut() -> None:
    facts = replace(questions()[0], words="\n".join(f"{n} {'x' * 900}" for n in range(500)))
    assert len(composer_in("en").question(facts).text) < 60_000


def test_a_word_of_a_million_letters_takes_no_time() -> None:
    """Links are looked for in all of a reply; its square would be a day of work."""
    facts = replace(questions()[0], words="x" * 1_000_000)
    assert len(composer_in("en").question(facts).text) < 2_000
