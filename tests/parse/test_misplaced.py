"""What a report says stands in the wrong place: status fields, Message-IDs, whole reports as quotations."""

import pytest

from bounce_watch.model import Kind, NotAReport, RecipientFields, Report
from bounce_watch.parse import read
from bounce_watch.parse.remote_server import find_server

SYSTEM = "From: MAILER-DAEMON@relay.example\nTo: ada@contoso.example\nSubject: Undelivered mail\n"
PARTS = SYSTEM + 'MIME-Version: 1.0\nContent-Type: multipart/report; boundary="b"\n'
STATUS = (
    "Reporting-MTA: dns; relay.example\n\n"
    "Final-Recipient: rfc822; lee@tailspin.example\nAction: failed\nStatus: 5.1.1\n"
)
BOUNCE = (
    "From: Mail Delivery System <MAILER-DAEMON@relay.example>\nDate: Tue, 2 Jun 2026 10:00:00 +0000\n"
    "To: ada@contoso.example\nSubject: Undelivered Mail Returned to Sender\n\n"
    "This is the mail system at host relay.example.\n\n<lee@tailspin.example>: 550 5.1.1 no such user\n\n"
    + STATUS
)


def the_report(mail: str) -> Report:
    (found,) = read(mail.encode())
    assert isinstance(found, Report), found
    return found


def the_entry(mail: str) -> RecipientFields:
    (entry,) = the_report(mail).recipients
    return entry


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param(
            f"{PARTS}\n--b\nContent-Type: message/delivery-status\n\nYour message was not delivered.\n"
            f"\n--b\nContent-Type: message/delivery-status\n\n{STATUS}\n--b--\n",
            id="two parts, the first of them prose",
        ),
        pytest.param(
            f"{PARTS}\n--b\nContent-Type: text/plain\n\nNot delivered.\n\n--b\n"
            "Content-Type: message/delivery-status\nFinal-Recipient: rfc822; lee@tailspin.example\n"
            "Action: failed\nStatus: 5.1.1\n\n--b--\n",
            id="headers of the part",
        ),
        pytest.param(
            f"{SYSTEM}Final-Recipient: rfc822; lee@tailspin.example\nAction: failed\nStatus: 5.1.1\n\nNot "
            f"delivered.\n",
            id="headers of the mail",
        ),
    ],
)
def test_status_fields_are_found_where_they_do_not_belong(mail: str) -> None:
    entry = the_entry(mail)
    assert (entry.final_recipient, entry.action, entry.status) == ("lee@tailspin.example", "failed", "5.1.1")


def test_the_words_come_from_the_supplement_where_there_is_no_diagnostic_code() -> None:
    """Exchange 2007 wraps the remote server's reply in X-Supplementary-Info."""
    entry = the_entry(
        f"{PARTS}\n--b\nContent-Type: message/delivery-status\n\n{STATUS}"
        "X-Supplementary-Info: <mx.tailspin.example #5.1.1 smtp;550-5.1.1 No mailbox of this name\n"
        " 550 5.1.1 is here>\n\n--b--\n"
    )
    assert (entry.reply_code, entry.remote_mta) == ("550", "mx.tailspin.example")
    assert entry.diagnostic_code == "550-5.1.1 No mailbox of this name 550 5.1.1 is here"


RETURNED = "\n--b\nContent-Type: message/rfc822\n\nFrom: ada@contoso.example\nSubject: Offer\n"
ORIGINALS = {
    "no angle brackets": f"{PARTS}\n--b\nContent-Type: message/delivery-status\n\n{STATUS}{RETURNED}"
    "Message-ID: k7@contoso.example\n\nhi\n--b--\n",
    "the last of References": f"{SYSTEM}References: <first@contoso.example> <k7@contoso.example>\n\n"
    "<lee@tailspin.example>: 550 no such user\n",
    "In-Reply-To without brackets": f"{SYSTEM}In-Reply-To: k7@contoso.example\n\n<lee@tailspin.example>: "
    f"550 no\n",
    "named in the text": f"{SYSTEM}\n<lee@tailspin.example>: 550 no such user\n\nMessage-ID: "
    f"<k7@contoso.example>\n",
    "a quoted original": f"{SYSTEM}\n<lee@tailspin.example>: 550 no such user\n\n--- Original message "
    f"follows ---\n"
    "> Received: from pc\n>\tby relay.example\n> From: ada@contoso.example\n> Message-ID: "
    "<k7@contoso.example>\n",
    "headers in a file": f"{PARTS}\n--b\nContent-Type: text/plain\n\n<lee@tailspin.example>: 550 no such "
    f"user\n\n--b\n"
    "Content-Type: text/plain; name=headers.txt\nContent-Disposition: attachment\n\nReceived: from pc\n"
    "From: ada@contoso.example\nTo: lee@tailspin.example\nMessage-ID: <k7@contoso.example>\n\n--b--\n",
}


@pytest.mark.parametrize("mail", ORIGINALS.values(), ids=ORIGINALS)
def test_the_original_is_found(mail: str) -> None:
    assert the_report(mail).original.message_id == "<k7@contoso.example>"


def test_a_receipt_keeps_the_message_that_it_is_about() -> None:
    (found,) = read(
        b"From: lee@tailspin.example\nTo: ada@contoso.example\nSubject: Read: Offer\n"
        b'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\n\n'
        b"--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; "
        b"lee@tailspin.example\n"
        b"Original-Message-ID: <k7@contoso.example>\nDisposition: manual-action/MDN-sent-manually; "
        b"displayed\n\n--b--\n"
    )
    assert isinstance(found, NotAReport)
    assert (found.kind, found.original.message_id) == (Kind.RECEIPT, "<k7@contoso.example>")


QUOTING = {
    "an absence note": ("Subject: Automatic reply: Undelivered Mail\n", Kind.AUTO_REPLY),
    "a subject in brackets": ("Subject: [Auto-Reply] Undelivered Mail Returned to Sender\n", Kind.AUTO_REPLY),
    "behind the gateway's mark": ("Subject: [EXTERNAL] Out of office: Undelivered Mail\n", Kind.AUTO_REPLY),
    "a reply to one with brackets": ("Subject: Re: [Auto-Response] Undelivered\n", Kind.AUTO_REPLY),
    "a marked absence note": ("Subject: Re: Undelivered\nAuto-Submitted: auto-replied\n", Kind.AUTO_REPLY),
    "a list's post": ("Subject: Who knows this?\nList-Id: <team.lists.example>\n", Kind.NOT_A_REPORT),
    "a tracker's notification": ("Subject: [T-7] Undelivered Mail\nPrecedence: bulk\n", Kind.NOT_A_REPORT),
}


@pytest.mark.parametrize(("fields", "kind"), QUOTING.values(), ids=QUOTING)
def test_a_quoted_report_is_no_report(fields: str, kind: Kind) -> None:
    """A list, a tracker or an absence note quotes a bounce; a person who pastes the same one forwards it."""
    author = "From: Lee Roth <lee@tailspin.example>\nTo: ada@contoso.example\n"
    (quoted,) = read(f"{author}{fields}\nWho can help?\n\n{BOUNCE}".encode())
    assert isinstance(quoted, NotAReport)
    assert quoted.kind is kind
    assert the_entry(f"{author}Subject: FW: Undelivered\n\nWho can help?\n\n{BOUNCE}").status == "5.1.1"


OUTLOOK = """From: Dana Ott <dana@contoso.example>
Subject: {0}

-----Original Message-----
From: System Administrator
Sent: Thursday, June 4, 2026 3:50 PM
To: Dana Ott
Subject: {0}

{1}

      Subject:	Offer
      Sent:	6/4/2026 3:35 PM

{2}

      lee@tailspin.example {3} 6/4/2026 3:49 PM
            {4}
            <mx.tailspin.example #5.2.2>
"""


@pytest.mark.parametrize(
    "words",
    [
        (
            "Undeliverable: Offer",
            "Your message was not sent to all.",
            "Not reached:",
            "on",
            "The mailbox is full.",
        ),
        (
            "Unzustellbar: Angebot",
            "Ihre Nachricht kam nicht an.",
            "Nicht erreicht:",
            "am",
            "Das Postfach ist voll.",
        ),
        (
            "Non remis : Offre",
            "Votre message n'est pas arrivé.",
            "Destinataires :",
            "le",
            "La boîte est pleine.",
        ),
    ],
    ids=["English", "German", "French"],
)
def test_a_report_as_outlook_shows_it_is_read_in_any_language(words: tuple[str, ...]) -> None:
    entry = the_entry(OUTLOOK.format(*words))
    assert (entry.final_recipient, entry.status) == ("lee@tailspin.example", "5.2.2")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("... while talking to aspmx.tailspin.example.:\n<<< 550 no", "aspmx.tailspin.example"),
        ("host mx.tailspin.example[192.0.2.7] said: 550 no", "mx.tailspin.example"),
        ("host mx.tailspin.example [2001:db8::7]: 550 no", "mx.tailspin.example"),
        ("refused for tailspin.example by mx.tailspin.example. [192.0.2.7].", "mx.tailspin.example"),
        ("Remote Server at mx.tailspin.example (192.0.2.7) returned '550 no'", "mx.tailspin.example"),
        ("The following organization rejected your message: mx.tailspin.example.", "mx.tailspin.example"),
        ("MX.tailspin.example gave this error:\nno such user", "mx.tailspin.example"),
        ("host localhost[127.0.0.1] said: 550 no", None),
        ("550 5.1.1 lee@tailspin.example: no such user", None),
        ("Generating server: hub.contoso.example", None),
    ],
)  # fmt: skip
def test_the_server_is_found_in_prose_and_transcripts(text: str, host: str | None) -> None:
    assert find_server(text) == host
