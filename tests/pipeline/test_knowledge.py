"""What the history adds to a reply: a likely typing error, earlier attempts, an open incident."""

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.pipeline.conftest import Home, Refusal, ndr

NO_DOMAIN: Refusal = {"reply": "550 5.4.310 DNS domain does not exist", "status": "5.4.310", "remote": None}
FULL: Refusal = {"reply": "552 5.2.2 Mailbox full", "status": "5.2.2"}


def letters(home: Home, to: str) -> list[str]:
    """Return the texts of what was sent to a person, oldest first."""
    mails = [message_from_bytes(content, policy=policy.default) for content in home.sent()]
    return [" ".join(plain_text(mail).split()) for mail in mails if mail["To"] == to]


def plain_text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_domain_that_mail_reached_is_suggested(home: Home) -> None:
    home.deliver(ndr("tom@larkfield.example", "eva@fabrikam.example", number=1, **FULL), "1.eml")
    home.look()
    home.deliver(ndr("lena@larkfield.example", "eva@fabrikan.example", number=2, **NO_DOMAIN), "2.eml")
    home.look()
    assert "Check whether you meant eva@fabrikam.example." in letters(home, "lena@larkfield.example")[0]


def test_a_forged_report_suggests_nothing(home: Home) -> None:
    """A spoofed report must not choose the address that our users try next."""
    forged = ndr("tom@larkfield.example", "eva@fabrikam.example", authority="Anonymous", **FULL)
    home.deliver(forged, "1.eml")
    home.look()
    home.deliver(ndr("lena@larkfield.example", "eva@fabrikan.example", number=2, **NO_DOMAIN), "2.eml")
    home.look()
    assert "Check whether you meant" not in letters(home, "lena@larkfield.example")[0]


def test_the_third_mail_that_comes_back_is_answered_firmly(home: Home) -> None:
    for number in range(3):
        home.deliver(ndr(number=number, at=home.clock.now, **FULL), f"{number}.eml")
        home.look()
        home.clock.now += timedelta(days=8)
    said = letters(home, "lena@larkfield.example")
    assert len(said) == 3
    assert "An earlier email" not in said[0]
    assert "An earlier email to this address wasn't delivered either." in said[1]
    assert "3 emails to this address weren't delivered." in said[2]


def test_an_incident_is_told_once_to_each_sender(home: Home) -> None:
    """Eight senders fail SPF: those after the incident opened get its number, once."""
    refused: Refusal = {"reply": "550 5.7.23 SPF violation -> 550 5.7.1 SPF check failed", "status": "5.7.23"}
    people = [f"p{number}@larkfield.example" for number in range(9)]
    for number, person in enumerate(people):
        recipient = f"x@{'adatum' if number % 2 else 'fabrikam'}.example"
        home.deliver(ndr(person, recipient, number=number, **refused), f"{number}.eml")
        home.look()
    assert len(home.context.store.incidents.list_open()) == 1
    assert "INC-1" not in letters(home, people[0])[0]
    assert "INC-1" in letters(home, people[8])[0]
    assert "known since 09:00" in letters(home, people[8])[0]
    home.clock.now += timedelta(hours=1)
    home.deliver(ndr(people[8], "y@adatum.example", number=20, **refused), "20.eml")
    home.look()
    assert len(letters(home, people[8])) == 1
