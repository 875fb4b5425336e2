"""Envelopes are opened from outside in, in any order, to the first report and no further."""

from pathlib import Path

import pytest

from bounce_watch.model import NotAReport
from bounce_watch.parse import read
from bounce_watch.unwrap import parse, unwrap
from bounce_watch.unwrap.forwarded import find_pasted

SAMPLES = Path(__file__).parent.parent / "samples"
NDR = (SAMPLES / "exchange_online" / "01-current-with-dsn.eml").read_bytes()


def attach(
    inner: bytes, sender: str = "dana@fabrikam.example", extra: bytes = b"", boundary: str = "f"
) -> bytes:
    mark = b"--" + boundary.encode()
    head = b"From: %s\r\nSubject: FW: look\r\n" % sender.encode()
    text = mark + b"\r\nContent-Type: text/plain\r\n\r\nRecipient: dana@fabrikam.example\r\n"
    mail = mark + b"\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n" + mark + b"--\r\n"
    return head + extra + b"Content-Type: multipart/mixed; boundary=" + mark[2:] + b"\r\n\r\n" + text + mail


JOURNAL = b"X-MS-Journal-Report:\r\n"


def test_a_bare_report_has_no_envelope() -> None:
    (wrapped,) = unwrap(parse(NDR))
    assert wrapped.envelopes == ()
    assert wrapped.forwarded_by is None
    assert len(wrapped.provenance) == 1


def test_forward_in_journal_and_journal_in_forward() -> None:
    """The order is told, outermost first, with one provenance a layer."""
    (one,) = unwrap(parse(attach(attach(NDR, boundary="g"), extra=JOURNAL)))
    assert one.envelopes == ("journal", "attached")
    (other,) = unwrap(parse(attach(attach(NDR, extra=JOURNAL, boundary="g"))))
    assert other.envelopes == ("attached", "journal")
    assert other.forwarded_by == "dana@fabrikam.example"
    assert other.recipients == ("dana@fabrikam.example",)
    assert [layer.is_ndr for layer in other.provenance] == [False, False, True]


def test_the_outermost_forwarder_counts() -> None:
    """Who sent it to us is the one we can believe most."""
    (wrapped,) = unwrap(
        parse(attach(attach(NDR, "first@fabrikam.example", boundary="g"), "last@fabrikam.example"))
    )
    assert wrapped.envelopes == ("attached", "attached")
    assert wrapped.forwarded_by == "last@fabrikam.example"


def test_more_than_five_envelopes_are_left_closed() -> None:
    mail = NDR
    for number in range(8):
        mail = attach(mail, boundary=f"b{number}")
    assert all(len(wrapped.envelopes) <= 5 for wrapped in unwrap(parse(mail)))


def test_what_a_report_returns_is_never_opened() -> None:
    """An NDR about a journal report is an NDR: the journal inside is its original."""
    (wrapped,) = unwrap(parse((SAMPLES / "journal" / "04-ndr-about-a-journal-report.eml").read_bytes()))
    assert wrapped.envelopes == ()
    assert wrapped.recipients == ()


def test_a_bounce_with_the_original_attached_is_no_forward() -> None:
    """multipart/mixed from a mail system: the attached mail is what it returns."""
    mail = attach(NDR, "MAILER-DAEMON@relay.example")
    (wrapped,) = unwrap(parse(mail))
    assert wrapped.envelopes == ()


def test_auth_as_is_kept_twice_when_it_stands_twice() -> None:
    mail = b"X-MS-Exchange-Organization-AuthAs: Internal\r\nX-MS-Exchange-Organization-AuthAs: Anonymous\r\n"
    (wrapped,) = unwrap(parse(mail + b"From: a@b.example\r\n\r\nx"))
    assert wrapped.provenance[0].auth_as == ("Internal", "Anonymous")


@pytest.mark.parametrize(
    "text",
    [
        "hi\n\nFrom: A <a@b.example>\nSent: today\nTo: c@d.example\nSubject: S\n\nwords",
        "> From: A <a@b.example>\n> Subject: S\n> Date: today\n> To: c@d.example\n>\n> words",
        "Subject: \tS\nDate: \ttoday\nFrom: \tA <a@b.example>\nTo: \tc@d.example\n\nwords",
        "Von: A <a@b.example>\nGesendet: heute\nAn: c@d.example\nBetreff: S\n\nwords",
        "De : A <a@b.example>\nEnvoyé : hier\nÀ : c@d.example\nObjet : S\n\nwords",
        (
            "*From:* A <a@b.example<mailto:a@b.example>>\n*Sent:* today\n*To:* c@d.example\n"
            "*Subject:* S\n\nwords"
        ),
        (
            "From: A <a@b.example>\nSent: today\nTo: c@d.example;\n e@d.example; f@d.example\n"
            "Subject: S\n\nwords"
        ),
    ],
    ids=["outlook", "apple", "thunderbird", "german", "french", "bold", "long To"],
)
def test_a_pasted_mail_is_found(text: str) -> None:
    pasted = find_pasted(text)
    assert pasted is not None
    assert pasted.subject == "S"
    assert "a@b.example" in pasted.sender_line
    assert pasted.text.strip() == "words"


@pytest.mark.parametrize(
    "text",
    ["", "From: here to there\nwe went\nSubject: none", "From: a@b.example\n\nSent: x\nSubject: y"],
)
def test_other_texts_hold_no_pasted_mail(text: str) -> None:
    assert find_pasted(text) is None


def test_prose_pasted_by_a_colleague_is_no_report() -> None:
    """A colleague's words about a bounce, forwarded, name addresses that did not fail."""
    mail = (
        b"From: dana@fabrikam.example\nSubject: FW: trouble\n\n"
        b"From: Max <max@fabrikam.example>\nSent: today\nTo: dana@fabrikam.example\nSubject: trouble\n\n"
        b"My message could not be delivered to lee@tailspin.example, why?\n"
    )
    assert isinstance(read(mail)[0], NotAReport)
