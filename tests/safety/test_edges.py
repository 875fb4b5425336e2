"""Hostile text through every field of a report, to the edges of the house: SMTP, IMAP, terminal, CSV, store.

Recording servers stand at the ends; what arrives there is judged, not what our code says it did.
"""

import csv
import io
from pathlib import Path

import pytest

from bounce_watch.cli.own_mail import html_of
from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG, ndr
from tests.servers.submission import Submission, SubmissionServer

SECRET = "canary-9f2c-secret"
HOSTILE = {
    "header line": "=?utf-8?q?x=0D=0ABcc:_victim@evil.example?=",
    "imap command": "=?utf-8?q?x=22=0D=0AX1_STORE_1:*_+FLAGS_(=5CDeleted)?=",
    "terminal": "=?utf-8?q?=1B]8;;http://evil.example=07click=1B[2J?=",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "template": "{{ 7*7 }}{% raw %}{{ house.secret }}",
    "markup": "<script>alert(1)</script><img src=http://evil.example/x>",
    "rich": "[link=http://evil.example]x[/link][red]",
    "shell": "'; Remove-Mailbox * ; $(rm -rf /)",
    "dots": "a\r\n .\r\n MAIL FROM:<evil@evil.example>",
    "path": "../../../../etc/passwd",
}
FIELDS = {
    "subject": "Subject: Offer",
    "message id": "<mail.1@larkfield.example>",
    "diagnostic": "Recipient not found by SMTP address lookup",
    "host": "mx.fabrikam.example",
    "recipient": "nobody@fabrikam.example",
    "report id": "<report.1@server.prod.outlook.com>",
    "reporter": "SERVER.prod.outlook.com",
}


def poisoned(field: str, text: str) -> bytes:
    genuine = ndr().decode()
    old = FIELDS[field]
    assert old in genuine
    new = f"Subject: {text}" if field == "subject" else text
    return genuine.replace(old, new).encode()


@pytest.mark.parametrize("field", FIELDS)
def test_hostile_text_in_a_field_reaches_no_edge(tmp_path: Path, field: str) -> None:
    """All texts in one field at once: one run, then every question asked of it."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mailbox" / name).mkdir(parents=True)
    for number, text in enumerate(HOSTILE.values()):
        raw = poisoned(field, text).replace(b"lena@", b"lena%d@" % number)
        (tmp_path / "mailbox" / "new" / f"{number}.mail").write_bytes(raw)
    receiver = Submission()
    config = tmp_path / "config.toml"
    with SubmissionServer(receiver, password=("bounces@larkfield.example", SECRET)) as server:
        send = (
            f'type = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
            f'user = "bounces@larkfield.example"\npassword = "{SECRET}"'
        )
        text = CONFIG.replace('type = "folder"\npath = "sent"', send).replace("23:30:00", "00:00:00")
        config.write_text(text.replace("[reply]", "[reply]\nnot_older_than_hours = 1000000"))
        config.chmod(0o600)
        run = call("-c", str(config), "run", "--once")
    assert receiver.accepted
    for reverse_path, recipient, content in receiver.accepted:
        head = content.partition(b"\r\n\r\n")[0].lower()
        assert reverse_path == "bounces@larkfield.example"
        assert recipient.endswith("@larkfield.example")
        assert b"\r\nbcc:" not in head
        assert head.count(b"\r\nto:") == 1
        assert not set(content) & set(b"\x00\x1b\x07")
        page = html_of(content).lower()
        assert page
        assert not [word for word in ('href="http://evil', "<script", "<img src=http") if word in page]
    said = [
        call("-c", str(config), *arguments) for arguments in (("history",), ("outbox", "list"), ("show", "1"))
    ]
    table = call("-c", str(config), "history", "--csv")
    for done in (run, *said, table):
        for stream in (done.stdout, done.stderr):
            assert not {"\x1b", "\x07", "\x00"} & set(stream)
            assert SECRET not in stream
    rows = list(csv.reader(io.StringIO(table.stdout)))
    assert len(rows) > 1
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+@\t\r")]
    for path in tmp_path.glob("store.db*"):
        assert SECRET.encode() not in path.read_bytes()
