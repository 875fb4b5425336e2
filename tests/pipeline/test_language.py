"""The language of an answer: the report's, else the one that the person was written in before."""

from tests.pipeline.conftest import Home, ndr


def languages(home: Home) -> list[str]:
    """Return the Content-Language of the answers, oldest first."""
    lines = (line for mail in home.sent() for line in mail.decode().splitlines())
    return [line.partition(": ")[2] for line in lines if line.startswith("Content-Language: ")]


def in_language(raw: bytes, language: str) -> bytes:
    return raw.replace(b"Auto-Submitted:", f"Content-Language: {language}\r\nAuto-Submitted:".encode(), 1)


def test_a_report_without_a_language_is_answered_in_the_persons_earlier_one(home: Home) -> None:
    home.deliver(in_language(ndr(), "de-DE"), "1.a")
    home.look()
    home.deliver(
        ndr(recipient="x@other.example", number=2, reply="552 5.2.2 mailbox full", status="5.2.2"), "2.a"
    )
    home.look()
    assert languages(home) == ["de", "de"]


def test_somebody_else_is_answered_in_the_language_of_the_organisation(home: Home) -> None:
    home.deliver(in_language(ndr(), "de-DE"), "1.a")
    home.deliver(ndr("ben@larkfield.example", "x@other.example", number=2), "2.a")
    home.look()
    assert sorted(languages(home)) == ["de", "en"]


def test_a_report_that_is_not_believed_teaches_no_language(home: Home) -> None:
    home.deliver(in_language(ndr(authority="Anonymous"), "fr-FR"), "1.a")
    home.look()
    home.deliver(ndr(recipient="x@other.example", number=2), "2.a")
    home.look()
    assert languages(home) == ["en"]
