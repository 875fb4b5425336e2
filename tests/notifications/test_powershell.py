"""A value never breaks out of a PowerShell command."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounce_watch.notifications.alert.steps import fill, quote
from bounce_watch.notifications.errors import Unquotable

QUOTES = "'\u2018\u2019\u201a\u201b"


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        pytest.param("mara@contoso.example", "'mara@contoso.example'", id="address"),
        pytest.param("o'neil@contoso.example", "'o''neil@contoso.example'", id="apostrophe"),
        pytest.param("a\u2019; rm -r *", "'a\u2019\u2019; rm -r *'", id="right-quote"),
        pytest.param("a\u2018b", "'a\u2018\u2018b'", id="left-quote"),
        pytest.param("a\u201ab", "'a\u201a\u201ab'", id="low-quote"),
        pytest.param("a\u201bb", "'a\u201b\u201bb'", id="reversed-quote"),
        pytest.param("$(Remove-Mailbox x)", "'$(Remove-Mailbox x)'", id="subexpression"),
        pytest.param("`n;x", "'`n;x'", id="backtick"),
        pytest.param('"x"', "'\"x\"'", id="double-quotes"),
        pytest.param("-Confirm:$false", "'-Confirm:$false'", id="looks-like-a-parameter"),
        pytest.param("", "''", id="empty"),
    ],
)
def test_a_value_is_quoted(value: str, quoted: str) -> None:
    assert quote(value) == quoted


@pytest.mark.parametrize(
    "value",
    ["a\nb", "a\rb", "a\x00b", "a\x1bb", "a\x85b", "a\u2028b", "a\u202eb", "a\u200bb", "a\udcffb", "x" * 321],
)
def test_a_value_with_invisible_characters_is_refused(value: str) -> None:
    with pytest.raises(Unquotable):
        quote(value)


@given(st.text(max_size=40))
def test_a_quoted_value_ends_where_it_should(value: str) -> None:
    """Read as PowerShell reads it: inside the outer quotes every quote is one of a pair of itself."""
    try:
        inner = quote(value)[1:-1]
    except Unquotable:
        return
    position = 0
    while position < len(inner):
        if inner[position] in QUOTES:
            assert inner[position + 1 : position + 2] == inner[position]
            position += 1
        position += 1


def test_a_placeholder_is_filled_once() -> None:
    """A value that looks like a placeholder is not filled again."""
    assert (
        fill("Get-X -A <sender> -B <since>", {"sender": "<since>", "since": "now"})
        == "Get-X -A '<since>' -B 'now'"
    )


def test_a_value_that_cannot_be_quoted_leaves_the_placeholder() -> None:
    assert fill("Get-X -A <sender>", {"sender": "a\nb"}) == "Get-X -A <sender>"
