"""Three incidents: a hijacked account, a broken SPF record, a partner whose domain has expired."""

from collections.abc import Iterator

from demo_mailbox import verdicts as v
from demo_mailbox.company import (
    DANIEL,
    ELIF,
    FELIX,
    GRETA,
    HENRIK,
    INES,
    JONAS,
    LUKAS,
    MAJA,
    OLGA,
    Person,
    at,
)
from demo_mailbox.mail import Mail, report, soon
from demo_mailbox.verdicts import Verdict
from demo_mailbox.wrap import bare, forwarded_as_attachment, forwarded_inline, journalled

EXPIRED_DOMAIN = "auerbach-optik.example"

SPRAY = (
    ("22:41:08", "r.mills@copperline.example", v.UNKNOWN),
    ("22:41:40", "accounts@bluefin-foods.example", v.REFUSED_AT_THE_EDGE),
    ("22:43:15", "jtaylor@northgate-legal.example", v.NO_SUCH_USER),
    ("22:45:02", "s.ono@tokiwa-parts.example", v.UNKNOWN),
    ("22:46:31", "payables@harbor-dental.example", v.REFUSED_AT_THE_EDGE),
    ("22:49:57", "mhughes@summit-roofing.example", v.NO_SUCH_USER),
    ("22:52:20", "info@casa-verde.example", v.UNKNOWN),
    ("22:54:44", "billing@oakhurst-clinic.example", v.REFUSED_AT_THE_EDGE),
    ("22:58:03", "pgreen@copperline.example", v.UNKNOWN),
    ("23:01:36", "d.ferrari@molino-rossi.example", v.NO_SUCH_USER),
    ("23:05:18", "office@lakeside-motors.example", v.UNKNOWN),
    ("23:09:50", "kwilson@prairie-seed.example", v.REFUSED_AT_THE_EDGE),
    ("23:14:27", "treasurer@stadtkapelle.example", v.UNKNOWN),
    ("23:26:39", "ap@ridgeview-schools.example", v.REFUSED_AT_THE_EDGE),
)
"""Tuesday night: the hijacked account writes to addresses that somebody bought."""

BLOCKED = (
    ("Tue 23:38:20", "finance@copperline.example"),
    ("Tue 23:38:52", "owner@oakhurst-clinic.example"),
    ("Tue 23:40:11", "admin@casa-verde.example"),
)

SPF_BROKEN: tuple[tuple[str, Person, str, str, Verdict], ...] = (
    ("Thu 10:06", GRETA, "petra.maier@nordwerk.example", "Campaign dates", v.SPF),
    ("Thu 10:44", LUKAS, "einkauf@hansa-optik.example", "Order 7795", v.SPF),
    ("Thu 11:09", DANIEL, "legal@rivoli-sensors.example", "Signed contract", v.DMARC),
    ("Thu 11:58", INES, "reception@kanton-labor.example", "Visit on Monday", v.SPF),
    ("Thu 13:17", HENRIK, "finance@fjordmetrik.example", "Invoice 5519", v.DMARC),
    ("Thu 13:52", GRETA, "events@messverband.example", "Booth 12", v.SPF),
)
"""Thursday: a new record leaves out Exchange Online, and strict receivers notice."""

UNREACHABLE: tuple[tuple[str, Person, str, str, Verdict], ...] = (
    ("Wed 09:12", DANIEL, "u.auerbach", "Lens prices", v.NO_DOMAIN),
    ("Wed 10:38", OLGA, "labor", "Coating samples", v.NO_DOMAIN),
    ("Wed 13:05", GRETA, "vertrieb", "Photos for the catalogue", v.NO_DOMAIN),
    ("Wed 15:29", ELIF, "u.auerbach", "Trade fair", v.NO_DOMAIN),
    ("Thu 11:24", FELIX, "technik", "Mounting rings", v.EXPIRED),
)
"""A partner forgot to renew a domain: five colleagues cannot reach it."""


def mails() -> Iterator[Mail]:
    yield from _takeover()
    yield from _broken_spf()
    yield from _expired_domain()


def _takeover() -> Iterator[Mail]:
    for number, (clock, recipient, verdict) in enumerate(SPRAY):
        moment = f"Tue {clock}"
        found = report(moment, JONAS, recipient, f"Overdue invoice INV-{88231 + 7 * number}", verdict)
        yield Mail(arrived=soon(moment), what="takeover-spray", content=bare(found, soon(moment)))
    for moment, recipient in BLOCKED:
        found = report(moment, JONAS, recipient, "Overdue invoice INV-88402", v.ACCOUNT_BLOCKED)
        yield Mail(arrived=soon(moment), what="takeover-blocked", content=bare(found, soon(moment)))
    own = report("Wed 08:14", JONAS, "petra.maier@nordwerk.example", "Good morning", v.ACCOUNT_BLOCKED)
    note = "Good morning, none of my mails go out today. Is the server down?\n\nJonas"
    yield Mail(
        arrived=at("Wed 08:21"),
        what="takeover-owner-asks-forwarded-inline",
        content=forwarded_inline(own, JONAS, note, at("Wed 08:21")),
    )


def _broken_spf() -> Iterator[Mail]:
    for moment, sender, recipient, subject, verdict in SPF_BROKEN:
        found = report(moment, sender, recipient, subject, verdict)
        yield Mail(arrived=soon(moment), what="spf-change", content=bare(found, soon(moment)))
    forwarded = report("Thu 14:31", MAJA, "empfang@stadtwerke-ost.example", "Appointment", v.SPF)
    yield Mail(
        arrived=at("Thu 14:40"),
        what="spf-change-attached",
        content=forwarded_as_attachment((forwarded,), MAJA, "And this one?\n\nMaja\n", at("Thu 14:40")),
    )
    copied = report("Thu 15:22", HENRIK, "service@rivoli-sensors.example", "Re: Drift", v.DMARC)
    yield Mail(
        arrived=soon("Thu 15:22", 5),
        what="spf-change-journalled",
        content=journalled(copied, soon("Thu 15:22", 5)),
    )


def _expired_domain() -> Iterator[Mail]:
    for moment, sender, local_part, subject, verdict in UNREACHABLE:
        found = report(moment, sender, f"{local_part}@{EXPIRED_DOMAIN}", subject, verdict)
        yield Mail(arrived=soon(moment), what="expired-domain", content=bare(found, soon(moment)))
    inline = report("Wed 16:02", DANIEL, f"u.auerbach@{EXPIRED_DOMAIN}", "Frame contract", v.NO_DOMAIN)
    note = "I have written to this address for years.\n\nDaniel"
    yield Mail(
        arrived=at("Wed 16:11"),
        what="expired-domain-forwarded-inline",
        content=forwarded_inline(inline, DANIEL, note, at("Wed 16:11")),
    )
