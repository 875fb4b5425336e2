"""The places of mail that the contract test runs over, each with a way to fill it and to look inside."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bounce_watch.config.accounts import FilesSettings, ImapSettings, MaildirSettings, MboxSettings
from bounce_watch.source import Source, open_source
from tests.servers.dovecot import EXCHANGE_ONLINE, PASSWORD, WATCHED, WITHOUT_MOVE, Dovecot

ARRIVED = 1_790_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`inside` lists the messages of a folder: watched, filed or quarantine. `add` brings one more."""

    source: Source
    inside: Callable[[str], list[bytes]]
    add: Callable[[bytes], object]
    moves: bool


def imap_settings(dovecot: Dovecot, **wishes: object) -> ImapSettings:
    """Return settings that fit a test server."""
    known = {
        "host": "localhost",
        "port": dovecot.imaps_port,
        "user": WATCHED,
        "ca_file": dovecot.certificates.ca_file,
        "timeout_seconds": 10,
    }
    return ImapSettings.model_validate(known | wishes)


@contextmanager
def imap(messages: tuple[bytes, ...], **wishes: Any) -> Iterator[Place]:
    separator, prefix = wishes.get("separator", "/"), wishes.get("prefix", "")
    with Dovecot(**wishes) as dovecot:
        dovecot.append(messages)
        names = {"watched": "INBOX"} | {
            name: prefix + separator.join(("Bounces", name.capitalize())) for name in ("filed", "quarantine")
        }
        yield Place(
            source=open_source(imap_settings(dovecot, window=2), lambda: PASSWORD),
            inside=lambda name: dovecot.contents(folder=names[name]),
            add=lambda content: dovecot.append([content]),
            moves=True,
        )


@contextmanager
def maildir(messages: tuple[bytes, ...], folder: Path) -> Iterator[Place]:
    root = folder / "Maildir"
    for name in ("cur", "new", "tmp"):
        (root / name).mkdir(parents=True)
    for number, content in enumerate(messages):
        name = f"cur/{number}.host:2,S" if number % 2 else f"new/{number}.host"
        (root / name).write_bytes(content)
        os.utime(root / name, (ARRIVED + number, ARRIVED + number))

    def inside(name: str) -> list[bytes]:
        at = root if name == "watched" else root / f".{name.capitalize()}"
        return [path.read_bytes() for path in sorted((*at.glob("new/*"), *at.glob("cur/*")))]

    yield Place(
        source=open_source(MaildirSettings(path=root), str),
        inside=inside,
        add=(root / "new" / "added.host").write_bytes,
        moves=True,
    )


@contextmanager
def mbox(messages: tuple[bytes, ...], folder: Path) -> Iterator[Place]:
    path = folder / "archive.mbox"
    quoted = [re.sub(rb"(?m)^(>*From )", rb">\1", content) for content in messages]
    line = b"From ann@x Mon Sep 21 14:13:20 2026\n"
    path.write_bytes(b"".join(line + text + b"\n" for text in quoted))

    def add(content: bytes) -> None:
        with path.open("ab") as stream:
            stream.write(line + content + b"\n")

    yield Place(source=open_source(MboxSettings(path=path), str), inside=lambda _: [], add=add, moves=False)


@contextmanager
def files(messages: tuple[bytes, ...], folder: Path) -> Iterator[Place]:
    for number, content in enumerate(messages):
        path = folder / f"{number // 2}" / f"{number}.eml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    add = (folder / "added.eml").write_bytes
    yield Place(
        source=open_source(FilesSettings(path=folder), str), inside=lambda _: [], add=add, moves=False
    )


IMAP_VARIANTS = {
    "imap": {},
    "imap-dressed-as-exchange-online": {"capability": EXCHANGE_ONLINE},
    "imap-without-move": {"capability": WITHOUT_MOVE},
    "imap-with-prefix-and-dots": {"separator": ".", "prefix": "INBOX."},
}
ON_DISK = {"maildir": maildir, "mbox": mbox, "files": files}
