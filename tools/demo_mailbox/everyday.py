"""The bounces of any week: typos, people who left, full mailboxes, size, groups, filters."""

from collections.abc import Iterator

from demo_mailbox import verdicts as v
from demo_mailbox.company import (
    ANNA,
    BEN,
    CLAIRE,
    DANIEL,
    ELIF,
    FELIX,
    GRETA,
    HENRIK,
    INES,
    KAETHE,
    LUKAS,
    MAJA,
    NIKOLA,
    OLGA,
    SCANNER,
    Person,
    at,
)
from demo_mailbox.mail import Mail, report, report_on, soon
from demo_mailbox.original import Original
from demo_mailbox.report import Report
from demo_mailbox.verdicts import Verdict
from demo_mailbox.wrap import bare, forwarded_as_attachment, forwarded_inline, journalled, redirected

_OLD_ADDRESS = (
    "IMCEAEX-_o=Larkfield+20Instruments_ou=Exchange+20Administrative+20Group+20+28FYDIBOHF23SPDLT+29"
    "_cn=Recipients_cn=5b1f{n}-theo.arndt@larkfield.example"
)

BARE: tuple[tuple[str, str, Person, str, str, Verdict], ...] = (
    ("Mon 08:47", "typo", ANNA, "petra.meier@nordwerk.example", "Offer 2217: flow sensors", v.UNKNOWN),
    ("Mon 10:56", "edge", LUKAS, "k.adler@hansa-optik.example", "Visit on Thursday", v.REFUSED_AT_THE_EDGE),
    ("Mon 13:19", "too-large", FELIX, "t.berg@fjordmetrik.example", "Drawings for cell 4", v.TOO_LARGE),
    ("Mon 15:02", "closed-group", ELIF, "allstaff@larkfield.example", "Bike to work", v.OWN_CLOSED_GROUP),
    ("Tue 09:48", "spam", GRETA, "office@kanton-labor.example", "Autumn offers: save 20 %", v.SPAM),
    ("Wed 09:33", "french", CLAIRE, "j.dupond@ateliers-rive.example", "Devis capteurs", v.UNKNOWN_FR),
    ("Wed 11:07", "blocklist", LUKAS, "einkauf@stadtwerke-ost.example", "Order 7781", v.BLOCKLIST),
    ("Wed 16:21", "greylisted", HENRIK, "info@pumpen-jost.example", "Spare parts", v.EXPIRED_GREYLISTED),
    ("Thu 08:35", "mailbox-full", DANIEL, "r.keller@nordwerk.example", "Minutes", v.MAILBOX_FULL_EXCHANGE),
    ("Thu 16:50", "left", BEN, "h.voss@rivoli-sensors.example", "Your question on drift", v.LEFT),
    ("Fri 08:29", "typo-again", ANNA, "petra.meier@nordwerk.example", "Offer 2217, revised", v.UNKNOWN),
    (
        "Fri 09:54",
        "too-large",
        OLGA,
        "qa@hansa-optik.example",
        "Calibration images",
        v.TOO_LARGE_FOR_RECIPIENT,
    ),
    ("Fri 11:36", "edge", NIKOLA, "samples@fjordmetrik.example", "Sample 0412", v.REFUSED_AT_THE_EDGE),
    ("Fri 12:31", "robot", SCANNER, "archive@dokuhaus.example", "Scan 3F-1187", v.TOO_LARGE),
    ("Fri 14:12", "left", FELIX, "m.ritter@nordwerk.example", "Acceptance test", v.NO_SUCH_USER),
)
"""Reports that a mail flow rule copies: when, what, who wrote, to whom, about what, what happened."""

REDIRECTED: tuple[tuple[str, str, Person, str, str, Verdict], ...] = (
    ("Mon 11:31", "left", DANIEL, "s.quandt@messtechnik-sued.example", "Contract draft", v.LEFT),
    ("Tue 13:27", "mailbox-full", MAJA, "buero@architekten-lang.example", "Plan B", v.MAILBOX_FULL),
    ("Thu 09:12", "edge", ELIF, "press@kanton-labor.example", "Interview", v.REFUSED_AT_THE_EDGE),
    ("Fri 12:45", "typo", INES, "rui.tavarez@lisboa-lab.example", "Travel dates", v.UNKNOWN),
)
"""Reports that an inbox rule of the bounced sender redirects."""


def mails() -> Iterator[Mail]:
    for moment, what, sender, recipient, subject, verdict in BARE:
        found = report(moment, sender, recipient, subject, verdict)
        yield Mail(arrived=soon(moment), what=what, content=bare(found, soon(moment)))
    for moment, what, sender, recipient, subject, verdict in REDIRECTED:
        found = report(moment, sender, recipient, subject, verdict)
        yield Mail(arrived=soon(moment), what=f"{what}-redirected", content=redirected(found, soon(moment)))
    yield from _forwarded()
    yield from _journalled()
    yield from _copies()
    yield _two_recipients()
    yield _robot()


def _inline(moment: str, what: str, found: Report, note: str) -> Mail:
    content = forwarded_inline(found, found.original.sender, note, at(moment))
    return Mail(arrived=at(moment), what=f"{what}-forwarded-inline", content=content)


def _forwarded() -> Iterator[Mail]:
    wrong_domain = report("Mon 09:24", MAJA, "k.zielinski@gmial.example", "Invitation", v.NO_DOMAIN)
    yield _inline("Mon 09:41", "typo-domain", wrong_domain, "Hi, why did this come back?\n\nMaja")
    group = report("Tue 10:15", BEN, "members@messverband.example", "Talk proposal", v.CLOSED_GROUP)
    yield _inline("Tue 10:22", "closed-group", group, "Can you do something about this?\n\nBen")
    german = report(
        "Tue 11:52", KAETHE, "w.oehler@glashuette-nord.example", "Angebot für Prüfgläser", v.MAILBOX_FULL_DE
    )
    yield _inline("Tue 12:03", "german-mailbox-full", german, "Hallo, was heißt das?\n\nKäthe")

    full = report("Mon 12:08", HENRIK, "d.lorenz@rivoli-sensors.example", "Invoice 5512", v.MAILBOX_FULL)
    yield _attached("Mon 12:20", "mailbox-full", (full,), HENRIK, "Please have a look.\n\nHenrik\n")
    stale = report("Tue 14:06", ANNA, _OLD_ADDRESS.format(n="c2"), "Handover", v.STALE_ENTRY)
    yield _attached("Tue 14:18", "old-address", (stale,), ANNA, "Theo sits two doors away?\n\nAnna\n")
    gone = report("Wed 13:44", FELIX, "a.thiel@messtechnik-sued.example", "Adapter plates", v.LEFT)
    typo = report("Wed 13:51", FELIX, "b.jansen@nordwrek.example", "Adapter plates", v.NO_DOMAIN)
    yield _attached("Wed 14:02", "two-reports", (gone, typo), FELIX, "Two of them today.\n\nFelix\n")


def _attached(moment: str, what: str, reports: tuple[Report, ...], by: Person, note: str) -> Mail:
    content = forwarded_as_attachment(reports, by, note, at(moment))
    return Mail(
        arrived=at(moment), what=f"{what}-attached", content=content, kinds=("failure",) * len(reports)
    )


def _journalled() -> Iterator[Mail]:
    for moment, what, sender, recipient, subject, verdict in (
        ("Wed 15:16", "left", NIKOLA, "f.sauer@ionenlabor.example", "Beam time", v.UNKNOWN),
        ("Fri 10:31", "old-address", ELIF, _OLD_ADDRESS.format(n="e9"), "Key list", v.STALE_ENTRY),
    ):
        found = report(moment, sender, recipient, subject, verdict)
        content = journalled(found, soon(moment, 5))
        yield Mail(arrived=soon(moment, 5), what=f"{what}-journalled", content=content)


def _copies() -> Iterator[Mail]:
    """Yield reports that come a second time: as a journal copy, and delivered twice."""
    edge = report(
        "Mon 10:56", LUKAS, "k.adler@hansa-optik.example", "Visit on Thursday", v.REFUSED_AT_THE_EDGE
    )
    yield Mail(
        arrived=soon("Mon 10:56", 9),
        what="edge-journal-copy",
        content=journalled(edge, soon("Mon 10:56", 9)),
        repeats=True,
    )
    twice = report("Thu 14:03", BEN, "orders@ateliers-rive.example", "Order 7802", v.UNKNOWN)
    for seconds, name in ((2, "typo"), (47, "typo-second-copy")):
        arrived = soon("Thu 14:03", seconds)
        yield Mail(arrived=arrived, what=name, content=bare(twice, arrived), repeats=seconds > 2)


def _two_recipients() -> Mail:
    outcomes = (
        ("marta.lopes@lisboa-lab.example", v.UNKNOWN),
        ("arquivo@lisboa-lab.example", v.MAILBOX_FULL_EXCHANGE),
    )
    found = report_on("Tue 16:34", INES, outcomes, "Agenda for December")
    return Mail(arrived=soon("Tue 16:34"), what="two-recipients", content=bare(found, soon("Tue 16:34")))


def _robot() -> Mail:
    """Return the report on a machine's mail: nobody reads guidance there."""
    original = Original(
        sender=SCANNER,
        recipients=("buchhaltung@steuer-kruse.example",),
        subject="Scan 3F-1190",
        sent=at("Fri 13:06"),
        text="The scan is attached.\r\n",
        more=(("Auto-Submitted", "auto-generated"),),
    )
    outcome = ("buchhaltung@steuer-kruse.example", v.MAILBOX_FULL)
    found = Report(original=original, outcomes=(outcome,), reported=soon("Fri 13:06", 20))
    arrived = soon("Fri 13:06", 23)
    return Mail(arrived=arrived, what="robot-mailbox-full", content=bare(found, arrived))
