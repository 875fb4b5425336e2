"""The throw-away servers do what the other tests rely on."""

import smtplib

import pytest

from tests.servers.dovecot import WATCHED
from tests.servers.world import MailWorld

pytestmark = pytest.mark.servers

GUIDANCE = (
    b"From: Mail help <help@contoso.example>\r\nTo: alice@contoso.example\r\n"
    b"Subject: Your mail did not arrive\r\nAuto-Submitted: auto-generated\r\n"
    b"\r\nPlease check the address.\r\n"
)


def test_a_refused_mail_becomes_a_report_in_the_watched_mailbox_and_guidance_reaches_the_user(
    mail_world: MailWorld,
) -> None:
    """Postfix itself writes the report; mail with an empty reverse path still reaches alice."""
    message_id = mail_world.send("alice@contoso.example", "nouser@fabrikam.example")
    (report,) = mail_world.dovecot.wait_for(1, WATCHED)
    assert b"report-type=delivery-status" in report
    assert b"Status: 5.1.10" in report
    assert message_id.encode() in report
    with smtplib.SMTP("localhost", mail_world.smtp_port, timeout=10) as client:
        client.starttls(context=mail_world.postfix.certificates.client())
        client.sendmail("", ["alice@contoso.example"], GUIDANCE)
    (letter,) = mail_world.dovecot.wait_for(1, "alice@contoso.example")
    assert b"Please check the address." in letter
    assert len(mail_world.dovecot.contents(WATCHED)) == 1
