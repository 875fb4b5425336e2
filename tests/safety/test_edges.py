"""Hostile text through every field of a report, to every way out: SMTP, headers, HTML, templates,
terminal, CSV, logs, PowerShell, files and the store.

Recording servers stand at the ends; what arrives there is judged, not what our code says it did. Each text
carries a mark, so that it is known where it went.
"""

import base64
import csv
import io
import re
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import pytest
import structlog

from bounce_watch.cli.common.logs import set_up_logs
from bounce_watch.cli.common.pages import html_of
from bounce_watch.notifications.alert.steps import fill
from bounce_watch.unwrap.mime.headers import decode_words
from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG, ndr
from tests.servers.submission import Submission, SubmissionServer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("edges"), pytest.mark.timeout(400)]

USER, SECRET = "bounces@larkfield.example", "canary-9f2c-secret"
MARK, PRODUCT = "zqx", str(7777 * 7777)
HOSTILE = {
    "header line": f"=?utf-8?q?{MARK}=0D=0ABcc:_victim@evil.example?=",
    "folded header": f"{MARK}\r\n\tBcc: victim@evil.example",
    "imap command": f"=?utf-8?q?{MARK}=22=0D=0AX1_STORE_1:*_+FLAGS_(=5CDeleted)?=",
    "terminal": f"=?utf-8?q?{MARK}=1B]8;;http://evil.example=07click=1B[2J?=",
    "formula": f'=HYPERLINK("http://evil.example","{MARK}")',
    "formula in an encoded word": f"=?utf-8?q?=2Bcmd|{MARK}?=",
    "template": f"{MARK}{{{{ 7777*7777 }}}}{{% raw %}}{{{{ context.secret }}}}",
    "markup": f"<script>{MARK}</script><img src=http://evil.example/x onerror={MARK}>",
    "rich": f"[link=http://evil.example]{MARK}[/link][red]",
    "shell": f"'; Remove-Mailbox {MARK} ; $(rm -rf /)\u2019; Remove-Mailbox {MARK}",
    "dots": f"{MARK}\r\n .\r\n MAIL FROM:<evil@evil.example>",
    "path": f"../../../../{MARK}/passwd",
    "log line": f"=?utf-8?q?{MARK}=0A2026-11-27T00:00:00Z_info_mail=5Fsent?=",
    "right to left": f"{MARK}\u202egpj.exe\u2066\u200b",
}
FIELDS = {
    "subject": ("Subject: Offer", "Subject: {}"),
    "subject of the report": ("Undeliverable: Offer", "{}"),
    "message id": ("<mail.1@larkfield.example>", "{}"),
    "message id in brackets": ("<mail.1@larkfield.example>", "<{}@larkfield.example>"),
    "report id": ("<report.1@server.prod.outlook.com>", "{}"),
    "diagnostic": ("Recipient not found by SMTP address lookup", "{}"),
    "text": ("couldn't be delivered", "{}"),
    "host": ("mx.fabrikam.example", "{}"),
    "reporter": ("SERVER.prod.outlook.com", "{}"),
    "recipient": ("nobody@fabrikam.example", "{}"),
    "recipient's local part": ("nobody@fabrikam.example", "{}@fabrikam.example"),
    "recipient's domain": ("nobody@fabrikam.example", "nobody@{}"),
    "name of the sender": ("\r\nFrom: lena", "\r\nFrom: {} <lena"),
    "name of the reporter": ("Microsoft Outlook <", "{} <"),
    "status": ("Status: 5.1.10", "Status: {}"),
    "date": ("\r\nDate: ", "\r\nDate: {} "),
    "language": ("Auto-Submitted:", "Content-Language: {}\r\nAuto-Submitted:"),
    "file name": (
        "--b--",
        '--b\r\nContent-Type: a/x; name="{0}"\r\nContent-Disposition: inline; filename="{0}"\r\n\r\n--b--',
    ),
}
# Fields that one mail may carry poison in together; each text stands once in each field.
TOGETHER = (
    ("subject", "report id", "diagnostic", "name of the reporter", "file name", "recipient's local part"),
    ("subject of the report", "message id", "host", "language", "recipient's domain"),
    ("message id in brackets", "text", "reporter", "status", "name of the sender", "recipient"),
    ("date",),
)
FORGED_LINE = "2026-11-27T00:00:00Z"


def poisoned(fields: tuple[str, ...], number: int) -> bytes:
    """Return a genuine report of a colleague of its own with another text in each of some fields."""
    mail, texts = ndr().decode(), list(HOSTILE.values())
    for shift, field in enumerate(fields):
        text = texts[(number + shift) % len(texts)]
        old, new = FIELDS[field]
        assert old in mail, field
        mail = mail.replace(old, new.format(text) if "{0}" in new else new.replace("{}", text))
    return mail.replace("lena@", f"lena{number}@").encode("utf-8", "surrogateescape")


@dataclass(frozen=True, kw_only=True)
class Edges:
    """What came out: `mails` as the server took them, `outputs` by command, `logs` lines."""

    folder: Path
    mails: list[tuple[str, str, bytes]]
    outputs: dict[str, str]
    logs: str


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Edges:
    """Run the program once on every text in every field, then ask it everything."""
    folder = tmp_path_factory.mktemp("edges")
    for name in ("cur", "new", "tmp"):
        (folder / "mailbox" / name).mkdir(parents=True)
    for number in range(len(HOSTILE) * len(TOGETHER)):
        raw = poisoned(TOGETHER[number // len(HOSTILE)], number)
        (folder / "mailbox" / "new" / f"{number}.mail").write_bytes(raw)
    receiver, config = Submission(), folder / "config.toml"
    with SubmissionServer(receiver, password=(USER, SECRET)) as server:
        send = (
            f'type = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
            f'user = "{USER}"\npassword = "{SECRET}"'
        )
        text = CONFIG.replace('type = "folder"\npath = "sent"', send).replace("23:30:00", "00:00:00")
        limits = "not_older_than_hours = 1000000\nhold_backlog_over = 99\nper_minute = 999\nper_hour = 999"
        config.write_text(text.replace("[reply]", f"[reply]\n{limits}"))
        config.chmod(0o600)
        run = call("-c", str(config), "run", "--once")
    commands = {
        "history": ("history",),
        "csv": ("history", "--csv", "--limit", "1000"),
        "outbox": ("outbox", "list"),
        "show": ("show", "1"),
        "explain": ("explain", str(next((folder / "mailbox" / ".Filed" / "cur").iterdir()))),
        "incidents": ("incidents", "list"),
        "top": ("top", "recipient"),
        "report": ("report", "--since", "3650d", "--out", str(folder / "page.html")),
    }
    outputs, logs = {"run": run.stdout}, run.stderr
    for name, arguments in commands.items():
        done = call("-c", str(config), *arguments)
        outputs[name] = done.stdout
        logs += done.stderr
    outputs["page"] = (folder / "page.html").read_text(encoding="utf-8")
    return Edges(folder=folder, mails=receiver.accepted, outputs=outputs, logs=logs)


def test_the_texts_did_arrive(edges: Edges) -> None:
    """Otherwise the rest would prove nothing: the marks stand in answers, in tables and in the store."""
    assert len(edges.mails) > len(HOSTILE) * len(TOGETHER) * 0.5
    assert sum(MARK in str(html_of(content)) for _, _, content in edges.mails) > len(HOSTILE)
    for name in ("history", "csv", "outbox", "page"):
        assert MARK in edges.outputs[name], name
    print(f"{len(HOSTILE)} texts in {len(FIELDS)} fields, {len(edges.mails)} mails")


def test_no_mail_has_a_field_or_recipient_that_is_not_ours(edges: Edges) -> None:
    allowed = {"from", "to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version"}
    allowed |= {"auto-submitted", "x-auto-response-suppress", "precedence", "content-language"}
    allowed |= {"x-bounce-watch-id", "x-bounce-watch-kind", "content-type", "content-transfer-encoding"}
    for reverse_path, recipient, content in edges.mails:
        names = [name.lower() for name in message_from_bytes(content)]
        assert reverse_path == USER
        assert recipient.endswith("@larkfield.example")
        assert not set(names) - allowed
        assert names.count("to") == 1
        assert not set(content) & set(b"\x00\x1b\x07")
        assert content.isascii()


def test_no_page_holds_markup_or_a_link_of_theirs(edges: Edges) -> None:
    pages = [html_of(content) or "" for _, _, content in edges.mails] + [edges.outputs["page"]]
    for page in pages:
        lowered = page.lower()
        for word in ('href="http://evil', "<img src=http", f"<script>{MARK}", f"onerror={MARK}>"):
            assert word not in lowered
        assert not re.search(r"<[^>]*" + MARK, re.sub(r'"[^"]*"', '""', lowered))


def test_no_template_is_evaluated(edges: Edges) -> None:
    for text in (*edges.outputs.values(), edges.logs, *(str(mail[2]) for mail in edges.mails)):
        assert PRODUCT not in text


def test_nothing_acts_on_the_terminal(edges: Edges) -> None:
    hidden = {"\x1b", "\x07", "\x00", "\x9b", "\u202e", "\u2066", "\u200b"}
    for name, text in (*edges.outputs.items(), ("logs", edges.logs)):
        assert not hidden & set(text), name


def test_no_cell_is_a_formula(edges: Edges) -> None:
    rows = list(csv.reader(io.StringIO(edges.outputs["csv"])))
    assert len(rows) > len(HOSTILE)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [cell for row in rows for cell in row if cell.lstrip(" \ufeff")[:1] in tuple("=+-@\t\r")]


def test_no_line_of_the_log_is_theirs(edges: Edges) -> None:
    theirs = (FORGED_LINE, MARK, "X1 ", "Bcc:")
    assert not [line for line in edges.logs.splitlines() if line.startswith(theirs)]


def test_the_words_of_a_fault_are_no_line_of_the_log() -> None:
    """An exception may quote a mail: its words are indented and escaped."""
    trace = f"Traceback:\nValueError: {MARK}\n{FORGED_LINE} info mail_sent\n\x1b[2J\u2028{FORGED_LINE}"
    fields = {"event": "message_failed", "level": "error", "timestamp": "t", "uid": f"1\n{FORGED_LINE}\x1b"}
    before = structlog.get_config()
    set_up_logs("text")
    render = structlog.get_config()["processors"][-1]
    structlog.configure(**before)
    first, *rest = render(None, "error", {**fields, "exception": trace}).split("\n")
    assert first.startswith("t error")
    assert len(rest) >= 4
    assert all(line.startswith("  ") for line in rest)
    assert "\x1b" not in "".join([first, *rest])


def outside_quotes(line: str) -> str:
    """Return what PowerShell reads as code: what stands in no quotes, whatever their form."""
    quote = "'\u2018-\u201b"
    return re.sub(f"[{quote}](?:[^{quote}]|[{quote}]{{2}})*[{quote}]", "", line)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_command_to_paste_runs_their_text(name: str) -> None:
    """A value that cannot be quoted leaves the placeholder; any other stands between quotes."""
    for text in (HOSTILE[name], decode_words(HOSTILE[name])):
        line = fill("Get-MessageTraceV2 -SenderAddress <sender> -Subject <subject>", {"sender": text})
        assert len(line.splitlines()) == 1
        assert MARK not in outside_quotes(line)
        assert "Remove-Mailbox" not in outside_quotes(line)


def test_nothing_was_written_outside_the_folder(edges: Edges) -> None:
    assert not [path for path in edges.folder.parent.rglob("*") if MARK in path.name]


def test_the_secret_stands_nowhere(edges: Edges) -> None:
    """Neither as it is nor as it goes over the line."""
    forms = [SECRET, *(base64.b64encode(text.encode()).decode() for text in (SECRET, f"\0{USER}\0{SECRET}"))]
    texts = [edges.logs, *edges.outputs.values(), *(content.decode() for _, _, content in edges.mails)]
    files = [path for path in edges.folder.rglob("*") if path.is_file() and path.name != "config.toml"]
    assert len(files) > len(HOSTILE)
    for form in forms:
        assert not [text for text in texts if form in text]
        assert not [path for path in files if form.encode() in path.read_bytes()]


def test_a_refused_sign_in_tells_no_secret(edges: Edges) -> None:
    """The server repeats what it was sent, as some do."""
    config = edges.folder / "refused.toml"
    with SubmissionServer(Submission(), password=(USER, "another")) as server:
        text = (edges.folder / "config.toml").read_text()
        config.write_text(
            re.sub(r"port = \d+", f"port = {server.port}", text).replace("store.db", "other.db")
        )
        config.chmod(0o600)
        (edges.folder / "mailbox" / "new" / "late.mail").write_bytes(
            ndr("omar@larkfield.example", number=9999)
        )
        run = call("-c", str(config), "run", "--once", status=77)
        told = call("-c", str(config), "check", status=1)
    for stream in (run.stdout, run.stderr, told.stdout, told.stderr):
        assert SECRET not in stream
        assert base64.b64encode(f"\0{USER}\0{SECRET}".encode()).decode() not in stream
    for path in edges.folder.glob("other.db*"):
        assert SECRET.encode() not in path.read_bytes()
