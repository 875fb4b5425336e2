"""Redaction: nothing that names a person or an organisation is left, and the same stays the same."""

import re

import pytest

from bounce_watch.cli.common.redaction import Redaction


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        pytest.param("to lena@fabrikam.test.", "to person-1@domain-1.example", id="an address"),
        pytest.param(
            "Lena@Fabrikam.test lena@fabrikam.test", "person-1@domain-1.example " * 2, id="whatever case"
        ),
        pytest.param("at mx1.fabrikam.test [192.0.2.1]", "at mx1.domain-1.example [192.0.2.1]", id="a host"),
        pytest.param(
            "fabrikam-test.mail.protection.outlook.com",
            "domain-1-example.mail.protection.outlook.com",
            id="at Microsoft",
        ),
        pytest.param("notfabrikam.test", "notfabrikam.test", id="another domain"),
        pytest.param(
            "<a1@X.eurprd07.prod.outlook.com>", "<a1@X.eurprd07.prod.outlook.com>", id="an id of Exchange"
        ),
        pytest.param("jo@gmail.com", "person-1@gmail.com", id="a provider"),
        pytest.param(
            "bounce+lena=fabrikam.test@list.test", "person-1@domain-2.example", id="an address in an address"
        ),
    ],
)
def test_names_are_replaced(text: str, redacted: str) -> None:
    assert Redaction(["fabrikam.test"]).text(text).strip() == redacted.strip()


def test_people_keep_their_number_from_text_to_text() -> None:
    redaction = Redaction([])
    first, again = redaction.text("a@x.test b@x.test"), redaction.text("b@x.test")
    assert re.findall(r"person-\d", first) == ["person-1", "person-2"]
    assert again == "person-2@domain-1.example"
