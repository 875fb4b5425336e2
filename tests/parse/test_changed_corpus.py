"""Sample reports, ours and public ones, under changes that keep their meaning: no accident decides."""

import base64
import json
import quopri
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import pytest

from bounce_watch.model import Report
from bounce_watch.parse import read
from bounce_watch.unwrap import parse, unwrap

SAMPLES = Path(__file__).parents[1] / "samples"
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"

Row = dict[str, Any]
Change = Callable[[bytes, Row], bytes | None]
Facts = list[tuple[str, str | None, list[tuple[str, str, str | None, str | None]]]]

FORWARD = (
    b"From: Dana Ott <dana@fabrikam.example>\nTo: bounces@fabrikam.example\nSubject: FW: what is this?\n"
    b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=fwd-0\n\n"
    b"--fwd-0\nContent-Type: text/plain; charset=utf-8\n\nplease look\n\n--fwd-0\n"
)
JOURNAL = (
    b"From: journal@fabrikam.example\nX-MS-Journal-Report:\nMIME-Version: 1.0\n"
    b"Content-Type: multipart/mixed; boundary=fwd-0\n\n"
    b"--fwd-0\nContent-Type: text/plain\n\nSender: <>\nMessage-Id: <j@x.example>\n\n--fwd-0\n"
)
TRACES = [
    (
        b"Received: from hop1.relay.example ([192.0.2.77])\n\tby hop2.relay.example with ESMTPS id 4ABC\n"
        b"\tfor <bounces@fabrikam.example>; Tue, 2 Jun 2026 10:00:00 +0000 (UTC)"
    ),
    b"Delivered-To: bounces@fabrikam.example",
    b"X-Spam-Status: No, score=-1.9",
    b"Authentication-Results: mx.fabrikam.example; spf=none smtp.helo=relay.example",
]
PASTED = {
    "outlook": "________________________________\nFrom: {0}\nSent: Tuesday, June 2, 2026 8:00 AM\n"
    "To: Dana <dana@fabrikam.example>\nSubject: {1}\n\n",
    "gmail": "---------- Forwarded message ---------\nFrom: {0}\nDate: Tue, Jun 2, 2026 at 8:00 AM\n"
    "Subject: {1}\nTo: <dana@fabrikam.example>\n\n",
    "apple": "Begin forwarded message:\n\nFrom: {0}\nSubject: {1}\nDate: 2 June 2026 at 08:00\n"
    "To: dana@fabrikam.example\n\n",
}


def split(raw: bytes) -> tuple[list[bytes], bytes]:
    """Return the header fields and the body, line ends LF, lines that are no field left out."""
    text = raw.replace(b"\r\n", b"\n") if b"\n" in raw else raw.replace(b"\r", b"\n")
    head, _, body = text.lstrip(b"\n").partition(b"\n\n")
    fields = re.split(rb"\n(?![ \t])", head)
    return [field for field in fields if re.match(rb"[!-9;-~]+[ \t]*:", field)], body


def joined(fields: list[bytes], body: bytes) -> bytes:
    return b"\n".join(fields) + b"\n\n" + body


def name_of(field: bytes) -> bytes:
    return field.partition(b":")[0].strip().lower()


def plain(raw: bytes) -> tuple[list[bytes], bytes] | None:
    """Return fields and body of a mail that is one unencoded text, without the fields of its content."""
    fields, body = split(raw)
    values = {name_of(field): field.partition(b":")[2].strip().lower() for field in fields}
    encoding = values.get(b"content-transfer-encoding", b"7bit")
    if not values.get(b"content-type", b"text/plain").startswith(b"text/plain"):
        return None
    return (fields, body) if encoding in (b"7bit", b"8bit", b"") else None


def encoded(raw: bytes, name: bytes, encode: Callable[[bytes], bytes]) -> bytes | None:
    found = plain(raw)
    if found is None:
        return None
    fields = [field for field in found[0] if name_of(field) != b"content-transfer-encoding"]
    return joined([*fields, b"Content-Transfer-Encoding: " + name], encode(found[1]))


def with_body(raw: bytes, change: Callable[[bytes], bytes]) -> bytes | None:
    found = plain(raw)
    return joined(found[0], change(found[1])) if found else None


def as_html(raw: bytes, row: Row) -> bytes | None:
    found = plain(raw)
    if found is None:
        return None
    charset = re.search(rb'charset="?([\w-]+)', b"\n".join(found[0]))
    fields = [field for field in found[0] if not name_of(field).startswith(b"content-")]
    lines = found[1].decode("latin-1").split("\n")
    body = "<br>\n".join(escape(line).replace("  ", "&nbsp; ") for line in lines)
    kind = b"Content-Type: text/html; charset=" + (charset[1] if charset else b"us-ascii")
    return joined([*fields, kind], f"<html><body>{body}</body></html>".encode("latin-1"))


def other_boundaries(raw: bytes, row: Row) -> bytes | None:
    found = set(re.findall(rb'boundary\s*=\s*"?([^\s;"]{3,})', raw, re.IGNORECASE))
    for number, boundary in enumerate(sorted(found, key=len, reverse=True)):
        raw = raw.replace(boundary, b"=_Part_%d_x9.y8" % number)
    return re.sub(rb"(boundary\s*=\s*)(=_Part_[\w.]+)", rb'\1"\2"', raw) if found else None


def other_addresses(raw: bytes, row: Row, part: int) -> bytes | None:
    """Change the local parts (0) or the domains (1) of all addresses that are expected, throughout."""
    if b"base64" in raw.lower():
        return None
    named = {b[key] for b in row["bounces"] for key in ("recipient", "sender") if "@" in (b.get(key) or "")}
    parts = {address.split("@")[part].lower() for address in named if len(address.split("@")[0]) > 4}
    row["renamed"] = {
        old: f"O'Neil.x+tag{n}" if part == 0 else f"new-{n}.example.org"
        for n, old in enumerate(sorted(parts))
    }
    for old, new in sorted(row["renamed"].items(), key=lambda pair: -len(pair[0])):
        pattern = rf"(?<![\w.+-]){re.escape(old)}" + ("(?=@)" if part == 0 else r"(?![\w-])")
        raw = re.sub(pattern.encode(), new.encode(), raw, flags=re.IGNORECASE)
    return raw if parts else None


def pasted(raw: bytes, row: Row, style: str, quote: str = "") -> bytes | None:
    """Paste the text of a report without a delivery status into a colleague's mail."""
    wrapped = unwrap(parse(raw))[0]
    names = [(b.get("recipient") or "~").lower() for b in row["bounces"]]
    if wrapped.delivery_status or not any(name in wrapped.text.lower() for name in names):
        return None
    author, subject = wrapped.headers.first("from") or "MAILER-DAEMON", wrapped.headers.first("subject")
    text = PASTED[style].format(author, subject or "") + wrapped.text
    lines = "\n".join(quote + line for line in text.split("\n"))
    head = "From: Dana Ott <dana@fabrikam.example>\nSubject: FW: x\nContent-Type: text/plain; charset=utf-8\n"
    return f"{head}\nplease look\n\n{lines}".encode("utf-8", "replace")


def attached(raw: bytes, head: bytes) -> bytes:
    return head + b"Content-Type: message/rfc822\n\n" + joined(*split(raw)) + b"\n--fwd-0--\n"


def octets(raw: bytes, row: Row) -> bytes:
    part = b'Content-Type: application/octet-stream; name="x.eml"\nContent-Transfer-Encoding: base64\n\n'
    return FORWARD + part + base64.encodebytes(raw) + b"\n--fwd-0--\n"


CHANGES: dict[str, Change] = {
    "CRLF": lambda raw, row: joined(*split(raw)).replace(b"\n", b"\r\n"),
    "bare CR": lambda raw, row: joined(*split(raw)).replace(b"\n", b"\r"),
    "more trace fields": lambda raw, row: joined([*TRACES, *split(raw)[0]], split(raw)[1]),
    "fields in reverse order": lambda raw, row: joined(split(raw)[0][::-1], split(raw)[1]),
    "other boundaries": other_boundaries,
    "other local parts": lambda raw, row: other_addresses(raw, row, 0),
    "other domains": lambda raw, row: other_addresses(raw, row, 1),
    "base64": lambda raw, row: encoded(raw, b"base64", base64.encodebytes),
    "quoted-printable": lambda raw, row: encoded(raw, b"quoted-printable", quopri.encodestring),
    "HTML": as_html,
    "spaces at line ends": lambda raw, row: with_body(raw, lambda body: body.replace(b"\n", b" \n")),
    "a footer": lambda raw, row: with_body(raw, lambda b: b + b"\n-- \nQuestions: help@fabrikam.example\n"),
    "a warning above": lambda raw, row: with_body(raw, lambda b: b"CAUTION: from outside.\n\n" + b),
    "attached to a forward": lambda raw, row: attached(raw, FORWARD),
    "attached as octets": octets,
    "in a journal report": lambda raw, row: attached(raw, JOURNAL),
    "pasted by Outlook": lambda raw, row: pasted(raw, row, "outlook"),
    "pasted by Gmail": lambda raw, row: pasted(raw, row, "gmail"),
    "pasted and quoted": lambda raw, row: pasted(raw, row, "apple", "> "),
}
# What a change may take away for good reason: absence notes in a forward are no reports, two recipients
# that differ in what was changed become one, and a pasted text may have lost the author's address.
ALLOWED = {
    "fields in reverse order": 0.01, "HTML": 0.01, "a warning above": 0.01,
    "attached to a forward": 0.01, "attached as octets": 0.01, "in a journal report": 0.01,
    "pasted by Outlook": 0.04, "pasted by Gmail": 0.04, "pasted and quoted": 0.04,
}  # fmt: skip


# What differs among our own samples, for the same reasons.
ABSENCE = {
    "not_a_report/01-out-of-office.eml",
    "unknown/not-ooo-german.eml",
    "unknown/not-ooo-with-addresses.eml",
}
NO_DOMAIN = {"unknown/screen-names.eml"}
WITHOUT_AUTHOR = {
    f"systems/{name}.eml" for name in ("fml", "kddi", "lerctr", "mailmarshal", "sun-orig", "vzwpix")
} | {f"unknown/{name}.eml" for name in ("naver-korean", "phone-gateway", "trend")}
KNOWN = {
    "other local parts": {"systems/quoted-local.eml"} | NO_DOMAIN, "HTML": NO_DOMAIN,
    "attached to a forward": ABSENCE, "attached as octets": ABSENCE,
    "pasted by Outlook": WITHOUT_AUTHOR, "pasted by Gmail": WITHOUT_AUTHOR,
    "pasted and quoted": WITHOUT_AUTHOR,
}  # fmt: skip
FEW = ("other boundaries", "other local parts", "other domains")
"""Changes that fit few of our samples, whose boundaries and local parts are short."""


def facts_of(raw: bytes, *, recipients_only: bool) -> Facts:
    found: Facts = []
    for reading in read(raw):
        if not isinstance(reading, Report):
            found.append((str(getattr(reading, "kind", "unreadable")), None, []))
            continue
        entries = [
            (str(e.final_recipient).lower(), str(e.action), e.status, e.reply_code)
            for e in reading.recipients
        ]
        sender = (reading.original.sender or "").lower()
        if recipients_only:
            entries, sender = [(entry[0], entry[1], None, None) for entry in entries], ""
        found.append((reading.kind.value, sender, entries))
    return found


def renamed(facts: Facts, names: dict[str, str]) -> str:
    text = json.dumps(facts, ensure_ascii=False)
    for old, new in sorted(names.items(), key=lambda pair: -len(pair[0])):
        text = re.sub(rf"(?<![\w.+-]){re.escape(old)}(?![\w.-])", new.lower(), text)
    return text


@pytest.fixture(scope="module")
def public_rows() -> list[tuple[Row, bytes]]:
    if not CORPUS.is_dir():
        pytest.skip("the shared sample mails are not beside this checkout")
    lines = (CORPUS / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [(r, (CORPUS / r["path"]).read_bytes()) for r in rows if not re.search("/(mac|dos)/", r["path"])]


@pytest.fixture(scope="module")
def own_rows() -> list[tuple[Row, bytes]]:
    return [(row_of(mail), mail.read_bytes()) for mail in sorted(SAMPLES.glob("*/*.eml"))]


def row_of(mail: Path) -> Row:
    """Return what is expected of a sample of ours, in the form of the public expectations."""
    readings = json.loads(mail.with_suffix(".expected.json").read_text(encoding="utf-8"))
    bounces = [
        {"recipient": entry.get("final_recipient"), "sender": reading.get("original", {}).get("sender")}
        for reading in readings
        for entry in reading.get("recipients", ())
    ]
    return {"path": f"{mail.parent.name}/{mail.name}", "bounces": bounces}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_our_samples_that_keeps_the_meaning_keeps_the_reading(
    change: str, own_rows: list[tuple[Row, bytes]]
) -> None:
    """All but those that are known, and those are known exactly."""
    tried, differing = changed_readings(change, own_rows)
    assert tried > (90 if change not in FEW else 5)
    assert set(differing) == KNOWN.get(change, set())


@pytest.mark.corpus
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_keeps_the_meaning_keeps_the_reading(
    change: str, public_rows: list[tuple[Row, bytes]]
) -> None:
    """The share of readings that differ stays within what is written down for the change."""
    tried, differing = changed_readings(change, public_rows)
    assert tried > 100
    assert len(differing) <= ALLOWED.get(change, 0) * tried, differing


def changed_readings(change: str, rows: list[tuple[Row, bytes]]) -> tuple[int, list[str]]:
    """Return how many samples could be changed so, and those that read differently then."""
    in_part = change.startswith("pasted") or change == "in a journal report"
    differing, tried = [], 0
    for row, raw in rows:
        changed = CHANGES[change](raw, row)
        if changed is None:
            continue
        tried += 1
        wanted = facts_of(raw, recipients_only=in_part)
        found = facts_of(changed, recipients_only=in_part)
        if renamed(found, {}) != renamed(wanted, row.pop("renamed", {})):
            differing.append(row["path"])
    return tried, differing
