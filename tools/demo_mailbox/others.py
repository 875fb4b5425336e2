"""Mail that is no failure of ours: delays, receipts, absence notices, newsletters, questions, noise."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from demo_mailbox import verdicts as v
from demo_mailbox.company import BEN, ELIF, GRETA, HENRIK, LUKAS, MAILBOX, MAJA, OLGA, Person, at
from demo_mailbox.exchange import internal_headers, received
from demo_mailbox.identity import guid, mail_id, server
from demo_mailbox.mail import Mail, report, soon
from demo_mailbox.mime import Header, encoded, header_block, joined, mailbox, part, stamp, text_part
from demo_mailbox.verdicts import Verdict
from demo_mailbox.wrap import bare

NOT_FINAL: tuple[tuple[str, str, Person, str, str, Verdict], ...] = (
    ("Mon 17:20", "delay", GRETA, "office@kanton-labor.example", "Draft of the flyer", v.DELAYED),
    ("Tue 20:21", "delay", HENRIK, "info@pumpen-jost.example", "Spare parts", v.DELAYED),
    ("Thu 18:05", "delay", LUKAS, "k.adler@messverband.example", "Room for 40 people", v.DELAYED),
    ("Tue 10:41", "delivered", OLGA, "p.maier@nordwerk.example", "Test protocol", v.DELIVERED),
    ("Fri 10:02", "relayed", ELIF, "desk@stadtwerke-ost.example", "Meter readings", v.RELAYED),
)

NEWSLETTERS = (
    ("Mon 06:15", "Sensor Weekly", "news@sensor-weekly.example", "This week: drift and how to live with it"),
    ("Wed 06:15", "Messverband", "rundbrief@messverband.example", "Rundbrief November: Prüfmittel & Normen"),
    ("Fri 06:40", "Lab Supplies", "offers@lab-supplies.example", "20 % off pipettes until Sunday"),
)

ABSENCES = (
    ("Mon 10:20", "Petra Maier", "petra.maier@nordwerk.example", "Offer 2217", "I am back on 16 November."),
    ("Tue 14:41", "Klaus Adler", "k.adler@messverband.example", "Talk", "In urgent cases call the office."),
    ("Thu 12:30", "Sofia Rossi", "s.rossi@rivoli-sensors.example", "Drift", "I read my mail on Monday."),
)

QUESTIONS = (
    (
        "Tue 09:05",
        MAJA,
        "Bounced mail?",
        "Hello,\n\na customer says that her mail to us came back with 550 5.7.1. Your doing?\n\nMaja\n",
    ),
    (
        "Fri 11:10",
        BEN,
        "Which address for bounces",
        "Hi,\n\nshall we forward undeliverable mails here or to the helpdesk?\n\nBen\n",
    ),
)


def mails() -> Iterator[Mail]:
    yield from _not_final()
    yield from (_newsletter(*row) for row in NEWSLETTERS)
    yield from (_absence(*row) for row in ABSENCES)
    yield from (_question(*row) for row in QUESTIONS)
    yield _read_receipt("Tue 11:15", OLGA, "p.maier@nordwerk.example", "Test protocol")
    yield _read_receipt("Thu 09:40", ELIF, "desk@stadtwerke-ost.example", "Meter list")
    yield Mail(
        arrived=at("Thu 03:12"), what="unreadable", content=_noise("disk fault", 2600), kinds=("unreadable",)
    )


def _not_final() -> Iterator[Mail]:
    for moment, what, sender, recipient, subject, verdict in NOT_FINAL:
        found = report(moment, sender, recipient, subject, verdict)
        kind = "delay" if verdict.action == "delayed" else "success"
        yield Mail(arrived=soon(moment), what=what, content=bare(found, soon(moment)), kinds=(kind,))


def _plain(moment: str, sender: str, subject: str, text: str, *more: Header) -> str:
    headers = [
        received(at(moment), sender, subject),
        ("From", sender),
        ("To", mailbox("Bounces", MAILBOX)),
        ("Subject", encoded(subject)),
        ("Date", stamp(at(moment) - timedelta(seconds=6))),
        *more,
        ("MIME-Version", "1.0"),
    ]
    return header_block(headers) + text_part("plain", text)


def _anonymous(*about: object) -> list[Header]:
    """Return what Exchange Online adds to mail from outside."""
    return [
        ("X-MS-Exchange-Organization-AuthSource", server(*about)),
        ("X-MS-Exchange-Organization-AuthAs", "Anonymous"),
    ]


def _newsletter(moment: str, name: str, address: str, subject: str) -> Mail:
    domain = address.partition("@")[2]
    text = (
        f"{subject}\n\nRead on: https://www.{domain}/{guid(subject).hex[:8]}\n\nYou get this as a reader.\n"
    )
    content = _plain(
        moment,
        mailbox(name, address),
        subject,
        text,
        ("Message-ID", f"<{guid(subject)}@{domain}>"),
        ("List-Id", f"{name} <list.{domain}>"),
        ("List-Unsubscribe", f"<https://www.{domain}/leave>"),
        ("Precedence", "bulk"),
        *_anonymous(address),
    )
    return Mail(arrived=at(moment), what="newsletter", content=content, kinds=("not_a_report",))


def _absence(moment: str, name: str, address: str, subject: str, text: str) -> Mail:
    content = _plain(
        moment,
        mailbox(name, address),
        f"Automatic reply: {subject}",
        f"Thank you for your mail. {text}\n",
        ("Message-ID", f"<{guid(address, moment)}@{address.partition('@')[2]}>"),
        ("In-Reply-To", mail_id(address, subject)),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("Return-Path", "<>"),
        *_anonymous(address),
    )
    return Mail(arrived=at(moment), what="absence", content=content, kinds=("auto_reply",))


def _question(moment: str, person: Person, subject: str, text: str) -> Mail:
    about = (person.address, subject)
    content = _plain(
        moment,
        mailbox(person.name, person.address),
        subject,
        text,
        ("Message-ID", mail_id(*about)),
        *internal_headers(server(*about), *about),
    )
    return Mail(arrived=at(moment), what="question", content=content, kinds=("not_a_report",))


def _read_receipt(moment: str, person: Person, reader: str, subject: str) -> Mail:
    """Return a disposition notification (RFC 8098): somebody opened a mail."""
    boundary = str(guid("read", reader, subject))
    headers = [
        received(at(moment), reader, subject),
        ("From", f"<{reader}>"),
        ("To", mailbox(person.name, person.address)),
        ("Subject", f"Read: {subject}"),
        ("Date", stamp(at(moment) - timedelta(seconds=6))),
        ("Message-ID", f"<{guid('read', moment)}@{reader.partition('@')[2]}>"),
        ("In-Reply-To", mail_id(person.address, subject)),
        *_anonymous(reader),
        (
            "Content-Type",
            f'multipart/report; report-type=disposition-notification;\r\n\tboundary="{boundary}"',
        ),
        ("MIME-Version", "1.0"),
    ]
    fields = header_block(
        [
            ("Final-Recipient", f"rfc822;{reader}"),
            ("Original-Message-ID", mail_id(person.address, subject)),
            ("Disposition", "automatic-action/MDN-sent-automatically; displayed"),
        ]
    )
    parts = [
        text_part("plain", "Your message was read.\n"),
        part("message/disposition-notification", fields),
    ]
    content = header_block(headers) + "\r\n" + joined(boundary, parts)
    return Mail(arrived=at(moment), what="read-receipt", content=content, kinds=("receipt",))


def _noise(seed: str, length: int) -> bytes:
    """Return bytes that are no mail, the same in every run."""
    blocks = (sha256(f"{seed} {number}".encode()).digest() for number in range(length // 32 + 1))
    return b"".join(blocks)[:length]
