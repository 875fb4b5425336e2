"""A context for tests: real store and templates, a Maildir as mailbox, a folder as sender."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict

import pytest
from sqlmodel import SQLModel

from bounce_watch.config.load import read_config
from bounce_watch.config.models import Config
from bounce_watch.pipeline import Context, CycleResult, open_context, run_cycle
from bounce_watch.sandbox.reader import IsolatedReader
from bounce_watch.send import FolderSender
from bounce_watch.source.local.maildir import MaildirSource
from bounce_watch.store import open_store, store_location
from tests.servers.kept import FILE
from tests.servers.stores import Stores
from tests.store.blank import lay_blank_store
from tests.store.committed import committed
from tests.store.rows import reading

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

CONFIG = """
[organisation]
name = "Larkfield"
accepted_domains = ["larkfield.example"]
support = "phone 4455"
admins = ["mailadmin@larkfield.example"]
security = ["security@larkfield.example"]
[source]
type = "maildir"
path = "mailbox"
[send]
type = "folder"
path = "sent"
[store]
path = "store.db"
[reply]
mode = "on"
from_address = "bounces@larkfield.example"
settle_seconds = 0
[digest]
at = "23:30:00"
"""


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Home:
    """A site in `folder`; `look` runs one cycle over its mailbox."""

    folder: Path
    config: Config
    context: Context
    clock: Clock

    def deliver(self, content: bytes, name: str) -> None:
        path = self.folder / "mailbox" / "new" / name
        path.write_bytes(content)
        os.utime(path, (self.clock.now.timestamp(), self.clock.now.timestamp()))

    def look(self) -> CycleResult:
        path = self.folder / "mailbox"
        mailbox = MaildirSource(path, filed_folder="Filed", quarantine_folder="Quarantine")
        with mailbox as source, FolderSender(self.folder / "sent") as sender:
            return run_cycle(self.context, source, sender)

    def waiting(self) -> list[Path]:
        return sorted((self.folder / "mailbox" / "new").iterdir())

    def filed(self) -> list[Path]:
        return sorted((self.folder / "mailbox" / ".Filed").glob("*/*"))

    def sent(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.folder / "sent").glob("*.eml"))]


@pytest.fixture(scope="session")
def reader() -> Iterator[IsolatedReader]:
    """One reading process for all sites: starting one for each took half a second."""
    with closing(IsolatedReader()) as one:
        yield one


@pytest.fixture
def store_line(request: pytest.FixtureRequest) -> str:
    """Return the configuration line for the store: a file, or an empty database on PostgreSQL."""
    if request.config.getoption("store") == "sqlite":
        return FILE
    stores: Stores = request.getfixturevalue("stores")
    return f'url = "{stores.postgres.url(stores.empty().url.database or "")}"'


@pytest.fixture
def open_home(tmp_path: Path, reader: IsolatedReader, store_line: str) -> Iterator[Callable[..., Home]]:
    """Return a function that opens a site; changes are replacements in its configuration text."""
    with ExitStack() as stack:

        def build(*changes: tuple[str, str]) -> Home:
            text = CONFIG
            for old, new in (*changes, (FILE, store_line)):
                text = text.replace(old, new)
            for name in ("cur", "new", "tmp"):
                (tmp_path / "mailbox" / name).mkdir(parents=True, exist_ok=True)
            config, clock = read_config(text.encode(), tmp_path / "config.toml"), Clock()
            where = store_location(config.store)
            if isinstance(where, Path) and not where.exists():
                lay_blank_store(where)
            store = stack.enter_context(open_store(where))
            committed(store).state.start_run(clock())
            context = open_context(config, store, clock)
            if isinstance(context.reader, IsolatedReader):
                context = replace(context, reader=reader)
            return Home(folder=tmp_path, config=config, context=context, clock=clock)

        yield build


@pytest.fixture
def home(open_home: Callable[..., Home]) -> Home:
    return open_home()


def every_text(home: Home) -> Iterator[str]:
    """Yield each value of each column of each table, as Python shows it."""
    with reading(home.context.store.location) as session:
        for table in SQLModel.metadata.sorted_tables:
            for row in session.connection().execute(table.select()):
                for value in row:
                    yield value.decode("latin-1") if isinstance(value, bytes) else str(value)


class Refusal(TypedDict, total=False):
    """What a server said, as keywords of `ndr`."""

    reply: str
    status: str
    remote: str | None


def ndr(
    sender: str = "lena@larkfield.example",
    recipient: str = "nobody@fabrikam.example",
    *,
    number: int = 1,
    at: datetime = START,
    reply: str = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    status: str = "5.1.10",
    remote: str | None = "mx.fabrikam.example",
    authority: str = "Internal",
) -> bytes:
    """Return a report as Exchange Online writes it, cut to its fields."""
    date = f"{at - timedelta(minutes=1):%a, %d %b %Y %H:%M:%S +0000}"
    lines = (
        "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@larkfield.example>",
        f"To: <{sender}>",
        "Subject: Undeliverable: Offer",
        f"Date: {date}",
        f"Message-ID: <report.{number}@server.prod.outlook.com>",
        f"In-Reply-To: <mail.{number}@larkfield.example>",
        "Auto-Submitted: auto-replied",
        "X-MS-Exchange-Message-Is-Ndr:",
        f"X-MS-Exchange-Organization-AuthAs: {authority}",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        f"Your message to {recipient} couldn't be delivered.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns;SERVER.prod.outlook.com",
        f"Arrival-Date: {date}",
        "",
        f"Final-Recipient: rfc822;{recipient}",
        "Action: failed",
        f"Status: {status}",
        *([f"Remote-MTA: dns;{remote}"] if remote else []),
        f"Diagnostic-Code: smtp;{reply}",
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        f"From: {sender}",
        f"To: {recipient}",
        "Subject: Offer",
        f"Date: {date}",
        f"Message-ID: <mail.{number}@larkfield.example>",
        "",
        "--b--",
        "",
    )
    return "\r\n".join(lines).encode()
