"""Known refusals of servers and how to fix them: the rows of `data/refusals.toml`."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from pydantic import TypeAdapter

from bounce_watch import shipped_files
from bounce_watch.config.accounts import Login
from bounce_watch.notifications.alert.steps import fill

LONGEST_WORDS = 4096
"""Characters of a response that are read; Exchange appends its trace to them."""


class At(StrEnum):
    """Who refused: Entra (a token), the IMAP server, the submission server."""

    TOKEN = "token"  # noqa: S105 - not a secret
    IMAP = "imap"
    SMTP = "smtp"


class Then(StrEnum):
    """What ends the refusal: an admin's fix, or time."""

    REPAIR = "repair"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One row. `auth` limits it to one kind of sign-in.

    `checked` is the day on which the source was read, None if it was not.
    """

    at: At
    words: tuple[str, ...]
    says: str
    repair: str
    then: Then
    source: str
    auth: str | None = None
    commands: tuple[str, ...] = ()
    checked: date | None = None

    def is_in(self, text: str) -> bool:
        """Tell whether a lower-case text holds all words; a code does not match inside a longer one."""
        return all(pattern.search(text) for pattern in map(_pattern, self.words))

    def filled(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Return the commands with the site's values quoted for PowerShell; unknown ones stay `<name>`."""
        return tuple(fill(command, values) for command in self.commands)


@cache
def _pattern(word: str) -> re.Pattern[str]:
    before = r"(?<![\d.])" if word[0].isdigit() else ""
    after = r"(?!\d|\.\d)" if word[-1].isdigit() else ""
    return re.compile(before + re.escape(word.lower()) + after, re.ASCII)


@cache
def load_refusals() -> tuple[Refusal, ...]:
    """Return the rows that ship with the program."""
    table = tomllib.loads(shipped_files.data_file("refusals.toml").read_text(encoding="utf-8"))
    return TypeAdapter(tuple[Refusal, ...]).validate_python(table["refusal"])


def find_refusal(at: At, words: str, auth: str = "") -> Refusal | None:
    """Return the first row that matches a server's response and our kind of sign-in, None for none."""
    text = words[:LONGEST_WORDS].lower()
    return next(
        (row for row in load_refusals() if row.at is at and row.auth in {None, auth} and row.is_in(text)),
        None,
    )


def values_of(login: Login, sender: str = "") -> dict[str, str]:
    """Return this site's values for the names in commands."""
    known = {
        "mailbox": login.user,
        "sender": sender or login.user,
        "application": login.oauth.client_id if login.oauth else "",
    }
    return {name: value for name, value in known.items() if value}
