"""Our own marks are recognized, and no others."""

import pytest

from bounce_watch.notifications.freeze import is_message_id, is_own_mark, new_ids

SECRET = b"s" * 32


def test_the_same_event_gives_the_same_ids() -> None:
    assert new_ids(SECRET, "one", "contoso.example") == new_ids(SECRET, "one", "contoso.example")


def test_another_event_gives_other_ids() -> None:
    assert new_ids(SECRET, "one", "contoso.example") != new_ids(SECRET, "two", "contoso.example")


def test_the_message_id_is_one_that_we_would_name_ourselves() -> None:
    assert is_message_id(new_ids(SECRET, "one", "contoso.example")[1])


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "<{}@contoso.example>",
        "Reference: {}\r\n",
        "<x@y.example> <{}@z>",
        "  {}.",
        "({})",
        "rewritten-{}",
    ],
)
def test_our_mark_is_recognised_wherever_it_stands(form: str) -> None:
    """Providers rewrite Message-IDs and relays fold headers; the mark survives in any text."""
    assert is_own_mark(SECRET, form.format(new_ids(SECRET, "one", "contoso.example")[0]))


def test_a_mark_in_capitals_is_recognised() -> None:
    assert is_own_mark(SECRET, new_ids(SECRET, "one", "contoso.example")[0].upper())


@pytest.mark.parametrize("value", ["", "bw.", "bw.0123456789abcdef.0123456789abcdef01234567", "x" * 100_000])
def test_a_foreign_mark_is_not_ours(value: str) -> None:
    assert not is_own_mark(SECRET, value)


def test_a_mark_made_with_another_secret_is_not_ours() -> None:
    assert not is_own_mark(SECRET, new_ids(b"t" * 32, "one", "contoso.example")[0])


def test_a_longer_proof_is_not_ours() -> None:
    """A prefix of the HMAC does not count."""
    assert not is_own_mark(SECRET, new_ids(SECRET, "one", "contoso.example")[0] + "0")


def test_an_event_key_with_lone_surrogates_gives_ids() -> None:
    assert new_ids(SECRET, "\udcff", "contoso.example")[0].startswith("bw.")
