"""The reference pages in Markdown: one sentence a line, tables for what one looks up."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bounce_watch import shipped_files
from bounce_watch.config.accounts import ImapSettings, OAuth, SmtpSettings
from bounce_watch.config.load import read_config
from bounce_watch.config.models import Store
from bounce_watch.config.secrets import SecretLookup, chat_lookup, login_lookup, store_lookup
from bounce_watch.config.service import Chat
from bounce_watch.net.refusals import At, load_refusals
from bounce_watch.notifications.gate.values import SENTENCES, Reason
from reference.program import STATUSES, Command, program
from reference.settings import Table, tables

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One secret and the names under which it is looked for."""

    what: str
    key: str
    name: str
    variable: str


def configuration() -> str:
    """Return the page about the configuration file. The example on it is read as the program reads it."""
    example = HERE / "example.toml"
    read_config(example.read_bytes(), example)
    return _written(
        "configuration.md.j2",
        tables=[_Anchored(table, table.title) for table in tables()],
        secrets=list(secrets()),
        example=example.read_text(encoding="utf-8"),
    )


def commands() -> str:
    """Return the page about the commands."""
    return _written("commands.md.j2", root=_linked(program()), statuses=STATUSES)


def refusals() -> str:
    """Return the page about what servers refuse."""
    rows = load_refusals()
    groups = [(title, about, [row for row in rows if row.at is at]) for at, title, about in _SERVERS]
    return _written("refusals.md.j2", groups=groups)


def decisions() -> str:
    """Return the page about how bounces are judged and when nobody is written to."""
    rules = tomllib.loads(shipped_files.data_file("rules.toml").read_text(encoding="utf-8"))["rule"]
    return _written("how-it-decides.md.j2", reasons=[(one, SENTENCES[one]) for one in Reason], rules=rules)


_SERVERS = (
    (At.TOKEN, "The sign-in service (Entra)", "It answers with a code; only that is looked at."),
    (At.IMAP, "The mailbox (IMAP)", "All words of a row must stand in the answer, in any case of letters."),
    (At.SMTP, "Sending (SMTP)", "All words of a row must stand in the answer, in any case of letters."),
)


def secrets() -> Iterator[Secret]:
    """Yield every secret that a configuration can hold."""
    app = OAuth(tenant="t", client_id="c")
    for prefix, kind, server in (("imap", ImapSettings, "the mailbox"), ("smtp", SmtpSettings, "sending")):
        yield _secret(f"password of {server}", "password", login_lookup(kind(), prefix))
        with_app = kind(auth="xoauth2", oauth=app)
        yield _secret(f"client secret for {server}", "client_secret", login_lookup(with_app, prefix))
    yield _secret("password of the PostgreSQL role", "password", store_lookup(Store()))
    yield _secret("URL of a chat room", "url", chat_lookup(Chat(name="teams")))


def _secret(what: str, key: str, places: SecretLookup) -> Secret:
    return Secret(what=what, key=key, name=places.name, variable=places.variable)


class _Anchored:
    """A value with the anchor of the heading that its page gives it."""

    def __init__(self, value: Table | Command, heading: str, **more: Any) -> None:
        self._value, self.anchor = value, anchor(heading)
        self.__dict__.update(more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._value, name)

    def walk(self) -> "Iterator[_Anchored]":
        yield self
        for one in self.below:
            yield from one.walk()


def _linked(command: Command) -> _Anchored:
    return _Anchored(command, command.name, below=[_linked(one) for one in command.below])


def anchor(heading: str) -> str:
    """Return what forges and the site make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def sentences(text: str) -> str:
    """Put every sentence on a line of its own."""
    return re.sub(r"(?<!\be\.g)(?<!\bi\.e)(?<=[.!?])\s+(?=[A-Z])", "\n", text)


def angles(text: str) -> str:
    """Keep what stands in angle brackets from being read as HTML."""
    return text.replace("<", "&lt;")


def cell(text: str) -> str:
    """Make a text fit into a cell of a table."""
    return text.replace("|", "\\|")


def _written(name: str, **values: Any) -> str:
    environment = Environment(  # noqa: S701 - Markdown, from our own words
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters.update(sentences=sentences, cell=cell, angles=angles)
    environment.tests["same_as"] = lambda one, other: one is other
    text = environment.get_template(name).render(**values)
    return f"{re.sub(chr(10) + '{3,}', chr(10) * 2, text).strip()}\n"
