"""The words of a person are told from what their mail program quotes, in seven languages."""

import time

import pytest

from bounce_watch.unwrap.own_words import MAX_WORDS, own_words
from tests.replies import CLIENTS, LANGUAGES, WORDS, Answered, text_of

ANSWERED = Answered(
    message_id="<bw.1@larkfield.example>",
    references="<bw.1@larkfield.example>",
    subject="Your email to ann@fabrikam.example wasn't delivered: the address doesn't exist",
    text="Hello,\nYour email didn't reach ann@fabrikam.example.\n\nReference: bw.0.1\n",
    to="lena@larkfield.example",
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("client", CLIENTS)
def test_only_what_the_person_wrote_is_left(client: str, language: str) -> None:
    words = own_words(text_of(client, language, WORDS[language], ANSWERED))
    left = words.removeprefix(WORDS[language]).strip()
    assert words.startswith(WORDS[language])
    assert left == "" or ("Outlook" in left and client == "outlook-phone"), left


@pytest.mark.parametrize("client", CLIENTS)
def test_a_reply_without_words_has_none(client: str) -> None:
    left = own_words(text_of(client, "en", "", ANSWERED))
    assert left == "" or client == "outlook-phone"


@pytest.mark.parametrize(
    "text",
    [
        "I tried it at 9:30:\nit failed again.",
        "Two things:\n- the address\n- the phone, 4455",
        "From: the new office I can't send.\nPlease help.",
        "She wrote: call me.\nI did.",
        "--\nLena",
    ],
)
def test_words_that_look_like_a_quote_stay(text: str) -> None:
    assert own_words(text) == text


def test_a_line_that_names_the_author_may_be_broken() -> None:
    line = "On Mon, Nov 23, 2026 at 10:12 AM Mail delivery help\n<bounces@larkfield.example>\nwrote:"
    assert own_words(f"Thanks\n\n{line}\n\nx") == "Thanks"


@pytest.mark.parametrize("line", ["1" * 599 + ":", "From: a@b.example\n" * 3, "> ", "_" * 400, "- " * 40])
def test_hostile_text_takes_linear_time_and_is_cut(line: str) -> None:
    small, large = ((line + "\n") * (size // (len(line) + 1)) for size in (8_192, 65_536))
    seconds = []
    for text in (small, large):
        began = time.process_time()
        assert len(own_words(text)) <= MAX_WORDS
        seconds.append(time.process_time() - began)
    assert seconds[1] < 12 * seconds[0] + 0.2
