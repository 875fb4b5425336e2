"""Every parser of bytes from outside takes whatever comes: it answers or raises its own fault, in time."""

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from bounce_watch.cli.common.output import Form
from bounce_watch.cli.explain_lines import explain_lines
from bounce_watch.config.load import ConfigError, read_config
from bounce_watch.config.owners import read_rows
from bounce_watch.dns.tags import BadTags, read_tags
from bounce_watch.notifications.errors import TemplateFault
from bounce_watch.notifications.rendering.catalogs import placeholder_faults, read_catalog
from bounce_watch.parse import read
from bounce_watch.parse.smtp_reply import read_replies
from bounce_watch.sandbox.jobs import shipped_catalogue
from bounce_watch.source.imap.bodystructure import structures_in
from bounce_watch.source.imap.responses import UnreadableResponse, items_by_uid
from bounce_watch.unwrap.mime.compound_file import is_readable
from tests.outlook import Item, msg
from tests.parse.hostile import HOSTILE
from tests.pipeline.conftest import CONFIG, ndr

EXAMPLES = 60
PROOF_SECONDS = int(os.environ.get("BOUNCE_WATCH_FUZZ_SECONDS", "1800"))
SLOW_SECONDS = 2.0
_MAIL = [line + b"\n" for line in ndr().split(b"\n")] + [
    *(b"=?utf-8?q?", b"?=", b"=?", b"multipart/", b"message/rfc822", b"boundary=b", b"--b\r\n", b"--b--"),
    *(
        b"\r\n\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"charset=",
        b"name*0*=",
        b"550 5.1.1 ",
        b"dsn;",
    ),
    *(b"rfc822;", b"\x00", b"\r", b"-----Original Message-----\n", b"From: ", b"Sent: ", b"<a@b.example>"),
]
_IMAP = [
    *(b"1 (", b")", b"UID ", b"7", b" RFC822.SIZE ", b'INTERNALDATE "', b'"', b"NIL", b"BODY[] {3}", b"abc"),
    *(
        b"\\",
        b"BODYSTRUCTURE ",
        b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)',
        b'"MIXED"',
        b" ",
        b"(",
        b"9" * 20,
    ),
]
_REPLY = [
    *(
        b"550",
        b" 5.1.1",
        b"5.7.1 ",
        b"<",
        b">",
        b"[",
        b"]",
        b"host mx.example",
        b" said: ",
        b"\n",
        b"#5.1.1#",
    ),
    *(
        b"(in reply to",
        b"\n",
        b"SMTP;",
        b"450-4.2.0 ",
        b"RESOLVER.ADR",
        b"; ",
        b'{"reply": "',
        b'"}',
        b"[" * 300,
    ),
]
_OWNERS = b"senders,to,name\nscanner@larkfield.example,it@larkfield.example,IT\n*@shop.larkfield.example,,\n"
_DKIM = b"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB; t=s"
_PO = b"""msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=n != 1;\\n"

#, python-format
msgid "%(count)d message"
msgid_plural "%(count)d messages"
msgstr[0] "%(count)d Nachricht"
msgstr[1] "%(count)d Nachrichten"
"""
_TOML = [line.encode() + b"\n" for line in CONFIG.splitlines()] + [
    *(b"[", b"]", b"[[source]]\n", b"= ", b'"""', b"{", b"}", b"1e999", b"inf", b"2026-99-99", b"\\u0000"),
]


def pieces(tokens: Sequence[bytes], most: int = 60) -> st.SearchStrategy[bytes]:
    """Join tokens of a language and a few bytes that belong to none."""
    return st.lists(st.sampled_from(list(tokens)) | st.binary(max_size=12), max_size=most).map(b"".join)


def changed(raw: bytes) -> st.SearchStrategy[bytes]:
    """Return a sound input with some places overwritten, and its end cut off."""
    edits = st.lists(st.tuples(st.integers(0, len(raw) - 1), st.binary(min_size=1, max_size=9)), max_size=12)
    return st.builds(_edit, st.just(raw), edits, st.integers(0, len(raw)))


def _edit(raw: bytes, edits: list[tuple[int, bytes]], kept: int) -> bytes:
    found = bytearray(raw)
    for place, new in edits:
        found[place : place + len(new)] = new
    return bytes(found[: max(kept, len(found) // 2)])


def read_mail(raw: bytes) -> None:
    for reading in read(raw):
        assert "the reader failed" not in getattr(reading, "reason", "")


def read_imap(raw: bytes) -> None:
    lines: list[object] = [(line[:9], line[9:]) if len(line) % 3 == 0 else line for line in raw.split(b"\n")]
    structures_in(lines)
    try:
        items_by_uid(lines)
    except UnreadableResponse:
        return


def read_reply(raw: bytes) -> None:
    read_replies(raw.decode("utf-8", "replace"))


def read_toml(raw: bytes) -> None:
    try:
        read_config(raw, Path("/nowhere/config.toml"))
    except ConfigError:
        return


def read_lines(raw: bytes) -> None:
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(raw))
    try:
        explain_lines(Path("-"), shipped_catalogue(), Form.JSON)
    except typer.BadParameter:
        return
    finally:
        sys.stdin = before


def read_owners(raw: bytes) -> None:
    try:
        read_rows(raw.decode("utf-8", "replace"), ["larkfield.example"], [])
    except ValueError:
        return


def read_record(raw: bytes) -> None:
    try:
        read_tags(raw.decode("utf-8", "replace"))
    except BadTags:
        return


def read_translations(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bounce_watch.po"
        path.write_bytes(raw)
        try:
            placeholder_faults(read_catalog(path))
        except TemplateFault:
            return


_HOSTILE = [raw for raw in HOSTILE.values() if 0 < len(raw) < 20_000]
OUTLOOK = msg(
    Item({0x001A: "REPORT.IPM.Note.NDR", 0x0037: "Undeliverable: Offer", 0x1000: "550 5.1.1 unknown"})
)
TARGETS: dict[str, tuple[Callable[[bytes], None], st.SearchStrategy[bytes]]] = {
    "mail": (read_mail, pieces(_MAIL) | changed(ndr()) | st.sampled_from(_HOSTILE).flatmap(changed)),
    "outlook item": (read_mail, changed(OUTLOOK)),
    "imap": (read_imap, pieces(_IMAP)),
    "smtp reply": (read_reply, pieces(_REPLY)),
    "configuration": (read_toml, pieces(_TOML) | changed(CONFIG.encode())),
    "explain --lines": (read_lines, pieces(_REPLY)),
    "owners": (read_owners, changed(_OWNERS) | pieces([*_OWNERS.splitlines(keepends=True), b'"', b"\x00"])),
    "DNS record": (read_record, changed(_DKIM) | pieces([*_DKIM.split(b" "), b"=", b";"])),
    "translations": (read_translations, changed(_PO) | pieces(_PO.splitlines(keepends=True))),
}


def fuzz(name: str, examples: int, number: int) -> None:
    target, inputs = TARGETS[name]

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def once(raw: bytes) -> None:
        started = time.process_time()
        target(raw)
        assert time.process_time() - started < SLOW_SECONDS

    once()


@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_break_a_parser(name: str) -> None:
    if name == "outlook item" and not is_readable():
        pytest.skip("the extra msg is not installed")
    fuzz(name, EXAMPLES, 1)


@pytest.mark.proof
@pytest.mark.timeout(PROOF_SECONDS + 300)
@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_break_a_parser_for_half_an_hour(name: str) -> None:
    until, number = time.monotonic() + PROOF_SECONDS, 1
    while time.monotonic() < until:
        number += 1
        fuzz(name, 400, number)
