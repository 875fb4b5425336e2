"""Reports of systems that no format knows: how many the general means still read.

Leave one out: each format is switched off, and the others read the reports that it reads.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from bounce_watch.model import Action, Kind, NotAReport, Report
from bounce_watch.parse import read
from bounce_watch.parse.formats import FORMATS, prose
from bounce_watch.unwrap import candidates, parse, unwrap

BOUNCED = (Action.FAILED, Action.DELAYED)
FOR_PEOPLE = (
    "exchange_online",
    "exchange_diagnostic",
    "exchange_2003",
    "fml",
    "sendmail",
    "dialogue",
    "prose",
)
AT_LEAST = 0.95
"""Share of reports whose recipients are still found. It may rise, but not sink."""

Recipients = frozenset[str]


def recipients_of(report: Report) -> Recipients:
    return frozenset((e.final_recipient or "").lower() for e in report.recipients if e.action in BOUNCED)


def without(name: str, raw: bytes) -> Recipients:
    """Return whom the first format but the named one finds in a mail."""
    layers = [one for layer in unwrap(parse(raw)) for one in (layer, *candidates(layer))]
    forms = [form for form in FORMATS if name != form.NAME]
    found = (form.read(layer) for layer in layers for form in forms)
    fields = next((one for one in found if one is not None), None)
    entries = fields.recipients if fields else ()
    return frozenset((e.final_recipient or "").lower() for e in entries if e.action in BOUNCED)


def left_out(mails: Iterable[Path], formats: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Return for each format how many of its reports are read right without it, of how many."""
    counts: dict[str, tuple[int, int]] = {}
    for mail in mails:
        raw = mail.read_bytes()
        reports = [reading for reading in read(raw) if isinstance(reading, Report)]
        if len(reports) == 1 and reports[0].format in formats and (wanted := recipients_of(reports[0])):
            name = reports[0].format
            right, total = counts.get(name, (0, 0))
            counts[name] = (right + (without(name, raw) == wanted), total + 1)
    return counts


def share(counts: dict[str, tuple[int, int]]) -> float:
    right, total = (sum(pair[part] for pair in counts.values()) for part in (0, 1))
    print(f"without the format of the system: {right} of {total} reports", counts)
    return right / total


def test_our_samples_are_read_without_their_own_format(samples: Path) -> None:
    """The formats for people except the general one, whose absence nothing replaces."""
    counts = left_out(sorted(samples.glob("*/*.eml")), FOR_PEOPLE[:-1])
    assert sum(total for _, total in counts.values()) > 20
    assert share(counts) >= AT_LEAST


@pytest.mark.corpus
def test_public_reports_in_words_are_read_by_the_general_reader_alone(shared: Path) -> None:
    """No public mail was known when the general reader's samples were written; all other formats are off."""
    lines = (shared / "corpus" / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    right = total = 0
    for row in map(json.loads, lines):
        raw = (shared / "corpus" / row["path"]).read_bytes()
        readings = read(raw)
        if not isinstance(readings[0], Report) or readings[0].format not in FOR_PEOPLE:
            continue
        layers = [one for layer in unwrap(parse(raw)) for one in (layer, *candidates(layer))]
        fields = next((found for layer in layers if (found := prose.read(layer))), None)
        names = {(e.final_recipient or "").lower() for e in fields.recipients} if fields else set()
        wanted = [
            {b["recipient"].lower(), *map(str.lower, b.get("recipient_also", ()))} for b in row["bounces"]
        ]
        total += 1
        right += len(wanted) == len(names) and all(one & names for one in wanted)
    print(f"the general reader alone: {right} of {total} reports")
    assert total > 150
    assert right / total >= AT_LEAST


def test_a_mail_that_is_no_bounce_stays_none(samples: Path) -> None:
    """Quota warnings, statistics, absence notes, parcels, monitoring: all name addresses and trouble."""
    mails = sorted((samples / "unknown").glob("not-*.eml"))
    assert len(mails) > 20
    for mail in mails:
        (reading,) = read(mail.read_bytes())
        assert isinstance(reading, NotAReport), mail.name


LETTER = "From: {author}\nTo: ada@contoso.example\nSubject: {subject}\n{fields}\n{text}\n"
TEXT = "Your mail to lee@tailspin.example could not be delivered: 550 no such user"


@pytest.mark.parametrize(
    ("author", "subject", "fields", "kind"),
    [
        ("Mail Server <srv@relay.example>", "Delivery failed", "", Kind.FAILURE),
        ("Relay <relay@relay.example>", "Nicht zugestellt: Angebot", "Return-Path: <>\n", Kind.FAILURE),
        ("postmaster@relay.example", "Offer", "", Kind.FAILURE),
        ("Lee Roth <lee@wingtip.example>", "Delivery failed", "", Kind.NOT_A_REPORT),
        ("Mail Server <srv@relay.example>", "News", "", Kind.NOT_A_REPORT),
        ("Mail Server <srv@relay.example>", "Delivery failed", "List-Id: <x.example>\n", Kind.NOT_A_REPORT),
        ("Mail Server <srv@relay.example>", "Re: Delivery failed", "", Kind.NOT_A_REPORT),
    ],
)
def test_a_program_must_show_as_the_author(author: str, subject: str, fields: str, kind: Kind) -> None:
    """A subject about a failure needs a null path or a system's name beside it."""
    raw = LETTER.format(author=author, subject=subject, fields=fields, text=TEXT).encode()
    (reading,) = read(raw)
    assert getattr(reading, "kind", None) is kind


@pytest.mark.parametrize(
    ("text", "recipients"),
    [
        ("Not delivered to lee@tailspin.example. Ask help@relay.example.", {"lee@tailspin.example"}),
        ("Not delivered.\nFrom: ada@contoso.example\nTo: lee@tailspin.example", {"lee@tailspin.example"}),
        ("ada@contoso.example -> lee@tailspin.example: not delivered", {"lee@tailspin.example"}),
        ("不能送达：收件人lee@tailspin.example的邮箱已满，退信", {"lee@tailspin.example"}),
        ("Mail not delivered. Recipient   [SMTP:lee@tailspin.example]", {"lee@tailspin.example"}),
        (
            "Mail not delivered to: lee@tailspin.example; mei@wingtip.example",
            {"lee@tailspin.example", "mei@wingtip.example"},
        ),
        ("Mail was not delivered to:\n  lee.roth\n  mei7", {"lee.roth@relay.example", "mei7@relay.example"}),
        ("Mail was not delivered. The account of zoe@relay.example is fine.", set()),
    ],
)  # fmt: skip
def test_the_address_that_a_report_is_about_is_told_from_others(text: str, recipients: set[str]) -> None:
    author = "MAILER-DAEMON@relay.example"
    (reading,) = read(LETTER.format(author=author, subject="Your mail", fields="", text=text).encode())
    assert (recipients_of(reading) if isinstance(reading, Report) else set()) == recipients
