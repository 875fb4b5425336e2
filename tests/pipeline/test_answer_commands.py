"""The first line of a reply to an alert."""

from datetime import timedelta

import pytest

from bounce_watch.pipeline.answers.command import Command, Verb, read_command


@pytest.mark.parametrize(
    ("words", "verb", "text"),
    [
        ("ack", Verb.ACKNOWLEDGE, ""),
        ("  Ack!\n\nAnna", Verb.ACKNOWLEDGE, ""),
        ("ACK, calling him now", Verb.ACKNOWLEDGE, "calling him now"),
        ("acknowledged", Verb.ACKNOWLEDGE, ""),
        ("resolve", Verb.RESOLVE, ""),
        ("Resolved.", Verb.RESOLVE, ""),
        ("resolve: SPF fixed", Verb.RESOLVE, "SPF fixed"),
        ("Resolved by whom?", Verb.NOTE, "Resolved by whom?"),
        ("resolve this please", Verb.NOTE, "resolve this please"),
        ("resolve, or not?", Verb.NOTE, "resolve, or not?"),
        ("note: ack is for later", Verb.NOTE, "ack is for later"),
        ("I'm on it.\nBack at noon.\n\nSent from my phone", Verb.NOTE, "I'm on it. Back at noon."),
        ("acknowledgement follows", Verb.NOTE, "acknowledgement follows"),
        ("background: see ticket", Verb.NOTE, "background: see ticket"),
    ],
)
def test_a_line_is_a_command_or_a_note(words: str, verb: Verb, text: str) -> None:
    assert read_command(words) == Command(verb=verb, text=text)


@pytest.mark.parametrize(
    ("words", "span", "text"),
    [
        ("silence 8h", timedelta(hours=8), ""),
        ("Silence for 3 days: holiday", timedelta(days=3), "holiday"),
        ("silence 12 hours", timedelta(hours=12), ""),
        ("silence 30d", timedelta(days=30), ""),
    ],
)
def test_a_silence_has_a_length(words: str, span: timedelta, text: str) -> None:
    assert read_command(words) == Command(verb=Verb.SILENCE, span=span, text=text)


@pytest.mark.parametrize(
    "words", ["", " \n", "!", "note", "silence", "silence 0h", "silence 31d", "silence 999d", "silence 8x"]
)
def test_what_is_not_clear_is_not_understood(words: str) -> None:
    assert read_command(words) is None
