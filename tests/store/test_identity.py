"""An address is found in every form that mail gives it, and no other address is taken for it."""

import base64
import quopri

import pytest

from bounce_watch.notifications.rendering.safe_text import defang
from bounce_watch.store.privacy.identity import OTHERS, PersonIdentity

ADDRESS = "Anna.Miller@contoso.example"
PSEUDONYM = "forgotten-1@forgotten.invalid"

SAME = [
    pytest.param("anna.miller@contoso.example", id="lower case"),
    pytest.param("550 5.1.1 <ANNA.MILLER@CONTOSO.EXAMPLE>: unknown", id="upper case in brackets"),
    pytest.param("rfc822;anna.miller@contoso.example", id="with its type"),
    pytest.param("to=anna.miller@contoso.example, relay", id="in a log line"),
    pytest.param("Write to anna.miller@contoso.example.", id="before a full stop"),
    pytest.param("'anna.miller@contoso.example'", id="in quotes"),
    pytest.param(defang("anna.miller@contoso.example"), id="as our letters break it"),
    pytest.param("mailto:anna.miller%40contoso.example", id="in a link"),
    pytest.param("ORCPT=rfc822;anna.miller+40contoso.example", id="in an ORCPT"),
    pytest.param("bounces+7-anna.miller=contoso.example@lists.example", id="in a VERP address"),
    pytest.param("anna.miller_contoso.example#EXT#@fabrikam.example", id="as a guest"),
    pytest.param('{"senders": ["anna.miller@contoso.example"]}', id="in JSON"),
]

OTHER = [
    pytest.param("joanna.miller@contoso.example", id="a longer name"),
    pytest.param("jo-anna.miller@contoso.example", id="a name with a hyphen"),
    pytest.param("anna.miller@contoso.example.net", id="a longer domain"),
    pytest.param("anna.miller@contoso.examples", id="another top level"),
    pytest.param("annaxmiller@contoso.example", id="a dot is a dot"),
    pytest.param("anna.miller at fabrikam.example", id="another domain"),
    pytest.param(
        "anna.miller_contoso.example@fabrikam.example", id="an address that only looks like a guest's"
    ),
]


@pytest.mark.parametrize("text", SAME)
def test_every_form_is_found_and_replaced(text: str) -> None:
    named = PersonIdentity(ADDRESS)
    assert named.is_in(text)
    replaced = named.replaced(text, PSEUDONYM)
    assert PSEUDONYM in replaced
    assert not named.is_in(replaced)
    assert "miller" not in replaced.lower()


@pytest.mark.parametrize("text", OTHER)
def test_nobody_else_is_touched(text: str) -> None:
    named = PersonIdentity(ADDRESS)
    assert not named.is_in(text)
    assert named.replaced(text, PSEUDONYM) == text


@pytest.mark.parametrize("text", SAME)
def test_what_is_found_in_the_database_holds_every_form(text: str) -> None:
    """LIKE as SQLite reads it: `%` for any text, `_` for one sign, the rest without regard to case."""
    import re

    pattern = PersonIdentity(ADDRESS).like
    parts = [".*" if sign == "%" else "." if sign == "_" else re.escape(sign) for sign in pattern]
    assert re.fullmatch("".join(parts), text, re.IGNORECASE | re.DOTALL)


def test_letters_outside_ascii_are_found_in_both_cases() -> None:
    named = PersonIdentity("jörg@contoso.example")
    assert named.is_in("<JÖRG@contoso.example>")
    assert named.like == "%j_rg%contoso%example%"


def test_where_a_text_is_about_the_person_the_bare_name_goes_too() -> None:
    named = PersonIdentity(ADDRESS)
    said = "550 5.1.1 User anna.miller unknown; contact postmaster"
    assert named.replaced_near(said, PSEUDONYM) == "550 5.1.1 User forgotten-1 unknown; contact postmaster"
    assert named.replaced_near("anna.millers", PSEUDONYM) == "anna.millers"
    assert PersonIdentity("al@contoso.example").replaced_near("al is al", PSEUDONYM) == "al is al"


BYTES = [
    pytest.param(b"To: anna.miller@contoso.example\r\n", id="as it is"),
    pytest.param(quopri.encodestring(b"to anna.miller@contoso.example " * 5), id="quoted-printable"),
    pytest.param(b"\r\n" + base64.encodebytes(b"text for anna.miller@contoso.example " * 5), id="base64"),
    pytest.param(b"\xff\xfe\x00 anna.miller@contoso.example", id="after noise"),
]


@pytest.mark.parametrize("raw", BYTES)
def test_bytes_that_nobody_could_read_are_searched_as_mail_encodes(raw: bytes) -> None:
    assert PersonIdentity(ADDRESS).is_in_bytes(raw)
    assert not PersonIdentity("bert@contoso.example").is_in_bytes(raw)


def test_other_people_are_left_out_of_what_one_person_gets() -> None:
    text = "Senders: anna.miller@contoso.example, bert@contoso.example, x[.]y@fabrikam[.]example."
    found = PersonIdentity(ADDRESS).without_others(text)
    assert "anna.miller@contoso.example" in found
    assert found.count(OTHERS) == 2
    assert "bert" not in found


def test_a_long_hostile_text_is_searched_in_linear_time() -> None:
    """A minute would be a bug; the time limit of the test suite is the bound."""
    named = PersonIdentity(ADDRESS)
    for piece in ("anna.miller", "anna[.]miller@", "=", "anna.miller=contoso"):
        assert not named.is_in((piece + "a") * 100_000)
    assert not named.is_in_bytes(b"QUJD\r\n" * 100_000)
