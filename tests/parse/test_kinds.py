"""Mail that is no failed bounce: each gets its kind, and never a failed recipient."""

import pytest

from bounce_watch.model import Action, Kind, NotAReport, Reading, Report, Unreadable
from bounce_watch.parse import read

PERSON = "From: Lee Roth <lee@tailspin.example>\nTo: ada@contoso.example\nMessage-ID: <k@tailspin.example>\n"
SYSTEM = "From: MAILER-DAEMON@relay.example\nTo: ada@contoso.example\nMessage-ID: <k@relay.example>\n"
LIST = (
    "From: team-bounces@lists.example\nList-Id: <team.lists.example>\nPrecedence: bulk\n"
    "X-List-Administrivia: yes\n"
)
STAND_IN = (
    'The server couldn\'t retrieve the following message:\n\nSubject: "Undeliverable: Offer"\n'
    'From: "Microsoft Outlook" ("MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.example")\n'
)
ROBOT = "From: noreply@shop.example\nTo: ada@contoso.example\nMessage-ID: <k@shop.example>\n"

OUT_OF_OFFICE = {
    "English": "Automatic reply: Offer for June",
    "English, old": "Out of Office AutoReply: Offer for June",
    "German": "Automatische Antwort: Angebot",
    "German, old": "Abwesenheitsnotiz: Angebot",
    "French": "Réponse automatique : Offre",
    "French, old": "Absence du bureau : Offre",
    "Spanish": "Respuesta automática: Oferta",
    "Italian": "Risposta automatica: Offerta",
    "Dutch": "Automatisch antwoord: Offerte",
    "Dutch, old": "Afwezig: Offerte",
    "Portuguese": "Resposta automática: Oferta",
    "Danish": "Automatisk svar: Tilbud",
    "Swedish": "Autosvar: Offert",
    "Swedish, web": "Automatiskt svar: Offert",
    "Norwegian": "Automatisk svar: Tilbud",
    "Finnish": "Automaattinen vastaus: Tarjous",
    "Polish": "Autoodpowiedź: Oferta",
    "Polish, web": "Automatyczna odpowiedź: Oferta",
    "Turkish": "Otomatik Yanıt: Teklif",
    "Czech": "Automatická odpověď: Nabídka",
    "Hungarian": "Automatikus válasz: Ajánlat",
    "Romanian": "Răspuns automat: Oferta",
    "Russian": "Автоматический ответ: Предложение",
    "Ukrainian": "Автоматична відповідь: Пропозиція",
    "Greek": "Αυτόματη απάντηση: Προσφορά",
    "Japanese": "自動応答: 見積",
    "Chinese": "自动答复: 报价",
    "Chinese, Taiwan": "自動回覆: 報價",
    "Korean": "자동 회신: 견적",
    "Gmail and others": "Auto: Re: Offer",
}
READ_RECEIPTS = {
    "English": "Read: Offer",
    "German": "Gelesen: Angebot",
    "French": "Lu : Offre",
    "Spanish": "Leído: Oferta",
    "Italian": "Letto: Offerta",
    "Dutch": "Gelezen: Offerte",
    "deleted unread": "Not read: Offer",
}

PLAIN = {
    "prose about a bounce": (
        PERSON + "Subject: your mail\n",
        "My mail to kim@wingtip.example came back: 550 5.1.1 User unknown.\nDo you have another address?\n",
    ),
    "prose quoting a bounce in an answer": (
        PERSON + "Subject: Re: Undeliverable: Offer\nIn-Reply-To: <x@contoso.example>\n",
        "What should I do about this?\n\n> Delivery has failed to kim@wingtip.example: 550 5.1.1\n",
    ),
    "newsletter about bounces": (
        ROBOT + "Subject: Delivery failure: ten tips\nList-Unsubscribe: <mailto:u@shop.example>\n",
        "Your message to customers@shop.example could not be delivered? 550 5.1.1 means no such user.\n",
    ),
    "moderation notice": (
        LIST + "Subject: Your message to Team awaits moderator approval\n",
        "Your mail to 'Team' with the subject\n\n    Offer\n\nIs being held for review.\n",
    ),
    "challenge": (
        PERSON + "Subject: Please confirm your message\n",
        "To deliver your message to lee@tailspin.example, answer this mail.\n",
    ),
    "ticket robot": (
        ROBOT + "Subject: [#4711] We have received your request\n",
        "Your request has been received. Do not reply to this mail. Ticket for ada@contoso.example.\n",
    ),
    "quarantine digest": (
        "From: quarantine@messaging.microsoft.example\nSubject: You have messages in quarantine\n",
        "Review these messages\nSender: kim@wingtip.example\nSubject: Invoice\nPrevented: Spam\n",
    ),
    "phishing with a system's name": (
        'From: "Mail Delivery System" <a@phish.example>\nSubject: (3) messages could not be delivered\n',
        "Delivery of messages to ada@contoso.example failed. Sign in: https://phish.example/\n",
    ),
    "phishing as storage warning": (
        'From: "Postmaster" <a@phish.example>\nSubject: Your mailbox is full\n',
        "Mailbox full: ada@contoso.example 99 %. Upgrade now: https://phish.example/\n",
    ),
    "monitoring": (
        ROBOT + "Subject: Alert: 12 bounces in an hour\nAuto-Submitted: auto-generated\n",
        "lee@tailspin.example: 550 5.1.1 user unknown (7 times)\n",
    ),
    "stand-in for what IMAP could not fetch": (
        "From: Microsoft Exchange Server 2016\nSubject: Retrieval using the IMAP4 protocol failed: 4711\n",
        STAND_IN,
    ),
    "a shop about a parcel": (
        ROBOT + "Subject: Delivery problem with your order\n",
        "We could not deliver to: lee@tailspin.example\n",
    ),
    "a shop in the words of systems": (
        ROBOT + "Subject: Your delivery has failed\n",
        "Recipient: lee@tailspin.example\n",
    ),
    "a system's statistics": (
        SYSTEM + "Subject: Daily statistics\n",
        "Deliveries today: 12\n\nlee@tailspin.example\nkim@wingtip.example\n",
    ),
    "a system's quarantine summary": (
        "From: postmaster@provider.example\nSubject: Quarantine summary\n",
        "kim@wingtip.example  Cheap pills\nlee@tailspin.example  Win now\n",
    ),
    "an SMTP log in a question": (
        PERSON + "Subject: log\n",
        " In:  RCPT TO:<kim@wingtip.example>\n Out: 550 5.1.1 no such user\n",
    ),
    "a greeting of fml": (
        "From: team-admin@lists.example\nX-MLServer: fml\nSubject: Welcome\n",
        "You are now a member of <team@lists.example>.\n",
    ),
    "invitation": (
        PERSON + "Subject: Accepted: Team meeting\nContent-Type: text/calendar\n",
        "BEGIN:VCALENDAR\nATTENDEE:mailto:lee@tailspin.example\nEND:VCALENDAR\n",
    ),
}


def failed(readings: tuple[Reading, ...]) -> list[str | None]:
    reports = [reading for reading in readings if isinstance(reading, Report)]
    return [entry.final_recipient for r in reports for entry in r.recipients if entry.action is Action.FAILED]


@pytest.mark.parametrize(("head", "body"), PLAIN.values(), ids=PLAIN.keys())
def test_ordinary_mail_is_no_report(head: str, body: str) -> None:
    (reading,) = read(f"{head}\n{body}".encode())
    assert isinstance(reading, NotAReport)
    assert reading.kind is Kind.NOT_A_REPORT


@pytest.mark.parametrize("marks", ["", "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n"])
@pytest.mark.parametrize("subject", OUT_OF_OFFICE.values(), ids=OUT_OF_OFFICE.keys())
def test_an_absence_note_is_an_automatic_reply(subject: str, marks: str) -> None:
    """By its fields, and by its subject alone where a gateway dropped the fields."""
    reply_to = "In-Reply-To: <offer@contoso.example>\n" if marks else ""
    body = "I am away. Write to kim@wingtip.example: mail to lee@tailspin.example cannot be delivered.\n"
    (reading,) = read(f"{PERSON}Subject: {subject}\n{marks}{reply_to}\n{body}".encode())
    assert isinstance(reading, NotAReport)
    assert reading.kind is Kind.AUTO_REPLY


@pytest.mark.parametrize("subject", READ_RECEIPTS.values(), ids=READ_RECEIPTS.keys())
def test_a_read_receipt_is_a_receipt(subject: str) -> None:
    """RFC 8098: whatever its language; deleted unread is no bounce either."""
    disposition = "deleted" if subject.startswith("Not") else "displayed"
    mail = (
        f"{PERSON}Subject: {subject}\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nYour message was read or not delivered to the eyes.\n"
        "--b\nContent-Type: message/disposition-notification\n\n"
        "Final-Recipient: rfc822;lee@tailspin.example\n"
        f"Disposition: automatic-action/MDN-sent-automatically; {disposition}\n--b--\n"
    )
    (reading,) = read(mail.encode())
    assert isinstance(reading, NotAReport)
    assert reading.kind is Kind.RECEIPT


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("delayed", "4.4.7", Kind.DELAY),
        ("delivered", "2.1.5", Kind.SUCCESS),
        ("relayed", "2.0.0", Kind.SUCCESS),
        ("expanded", "2.1.5", Kind.SUCCESS),
    ],
)
def test_the_action_decides_the_kind(action: str, status: str, kind: Kind) -> None:
    """RFC 3464 section 2.3.3, against words in the text and in the original that tell of failure."""
    mail = (
        f"{SYSTEM}Subject: Undeliverable: Offer\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nDelivery has failed permanently to lee@tailspin.example.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\n"
        f"Final-Recipient: rfc822;lee@tailspin.example\nAction: {action}\nStatus: {status}\n"
        "--b\nContent-Type: message/rfc822\n\nFrom: ada@contoso.example\nSubject: Undeliverable\n\n"
        "<kim@wingtip.example>: 550 5.1.1 no such user\n--b--\n"
    )
    readings = read(mail.encode())
    assert [getattr(reading, "kind", None) for reading in readings] == [kind]
    assert failed(readings) == []


@pytest.mark.parametrize(
    "fields",
    [
        "Feedback-Type: abuse\nUser-Agent: Some/1.0\nVersion: 1\nOriginal-Rcpt-To: <lee@tailspin.example>\n",
        "Feedback-Type: auth-failure\nUser-Agent: Some/1.0\nVersion: 1\nAuth-Failure: dmarc\n",
        "Feedback-Type: not-spam\nUser-Agent: Some/1.0\nVersion: 0.1\n",
        "Feedback-Type: opt-out\nUser-Agent: Some/1.0\nVersion: 1\nRemoval-Recipient: lee@tailspin.example\n",
    ],
    ids=["abuse", "auth-failure", "not-spam", "opt-out"],
)
def test_a_complaint_is_feedback(fields: str) -> None:
    """RFC 5965 and 6591: its recipient did get the mail."""
    mail = (
        "From: fbl@provider.example\nTo: abuse@contoso.example\nSubject: FW: Offer\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nThis is an email abuse report.\n"
        f"--b\nContent-Type: message/feedback-report\n\n{fields}\n"
        "--b\nContent-Type: message/rfc822\n\nFrom: ada@contoso.example\nTo: lee@tailspin.example\n\nHi\n"
        "--b--\n"
    )
    readings = read(mail.encode())
    assert [getattr(reading, "kind", None) for reading in readings] == [Kind.FEEDBACK]
    assert failed(readings) == []


@pytest.mark.parametrize(
    "part",
    [
        'Content-Type: application/ms-tnef; name="winmail.dat"',
        'Content-Type: application/octet-stream; name="winmail.dat"',
        'Content-Type: application/vnd.ms-outlook; name="Undeliverable.msg"',
        'Content-Type: application/octet-stream\nContent-Disposition: attachment; filename="Report.msg"',
    ],
)
def test_what_only_outlook_opens_is_unreadable_and_says_what_to_do(part: str) -> None:
    mail = (
        f"{PERSON}Subject: FW: Undeliverable: Offer\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nplease look\n"
        f"--b\n{part}\nContent-Transfer-Encoding: base64\n\n0M8R4KGxGuEAAAAA\n--b--\n"
    )
    (reading,) = read(mail.encode())
    assert isinstance(reading, Unreadable)
    assert reading.reason.startswith("ask for it again as an attached mail (.eml)")


def test_a_warning_in_words_is_a_delay() -> None:
    mail = (
        f"{SYSTEM}Subject: Warning: could not send message for past 4 hours\n\n"
        "   ----- The following addresses had transient non-fatal errors -----\n<lee@tailspin.example>\n\n"
        "   ----- Transcript of session follows -----\n"
        "<lee@tailspin.example>... Deferred: Connection refused\n"
        "Warning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old\n"
    )
    readings = read(mail.encode())
    assert [getattr(reading, "kind", None) for reading in readings] == [Kind.DELAY]


def test_a_complaint_without_a_report_part_is_feedback() -> None:
    """Hotmail and Amazon SES name the address of our server in the subject and attach the mail."""
    mail = (
        "From: complaints@provider.example\nSubject: complaint about message from 192.0.2.1\n"
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nOur user does not want this.\n"
        "--b\nContent-Type: message/rfc822\n\nFrom: ada@contoso.example\nTo: lee@tailspin.example\n\nHi\n"
        "--b--\n"
    )
    readings = read(mail.encode())
    assert [getattr(reading, "kind", None) for reading in readings] == [Kind.FEEDBACK]
    assert failed(readings) == []


def test_an_absence_note_to_nobody_is_an_automatic_reply() -> None:
    """Exchange's note with the null return path, where a gateway dropped In-Reply-To."""
    mail = (
        f"Return-Path: <>\n{PERSON}Subject: I am away\nAuto-Submitted: auto-generated\n"
        "X-Auto-Response-Suppress: All\n\nBack on Monday.\n"
    )
    (reading,) = read(mail.encode())
    assert isinstance(reading, NotAReport)
    assert reading.kind is Kind.AUTO_REPLY
