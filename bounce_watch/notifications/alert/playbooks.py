"""Steps for admins from data/playbooks.toml, with the values of the incident in PowerShell commands.

All values in PowerShell commands are quoted here. PowerShell reads the typographic quotes U+2018 to U+201B
as single quotes too, so each is doubled inside a single-quoted string, where nothing else is special
(learn.microsoft.com, about_Quoting_Rules, 2026-11).
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bounce_watch import shipped_files
from bounce_watch.model import Finding
from bounce_watch.model.address import domain_of
from bounce_watch.notifications.errors import PlaybookFault, Unquotable
from bounce_watch.notifications.rendering.safe_text import is_hidden

LONGEST_VALUE = 320
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
PLACEHOLDER = re.compile(r"<([a-z][a-z_]*)>")
PLACEHOLDERS = frozenset(("sender", "sender_domain", "recipient_domain", "since", "until"))
_EACH = ("sender", "sender_domain", "recipient_domain")
MAX_COMMANDS = 3
_STEP_KEYS = {"text", "where", "command", "source", "checked"}
_PLAYBOOK_KEYS = {"name", "title", "meaning", "step"}
_CHECKED = re.compile(r"\d{4}-\d{2}(-\d{2})?")


def quote(value: str) -> str:
    """Return the value as a single-quoted PowerShell string.

    Raises Unquotable for invisible characters (control, bidi, line breaks, surrogates and others), and for
    a value longer than an address can be: it isn't an address or domain and must not be pasted.
    """
    if len(value) > LONGEST_VALUE or any(map(is_hidden, value)):
        raise Unquotable("the value holds characters that no command may carry")
    return "'" + _QUOTES.sub(lambda found: found[0] * 2, value) + "'"


def fill(command: str, values: Mapping[str, str]) -> str:
    """Return a command template with each `<name>` replaced by its quoted value.

    A name without a value, or whose value cannot be quoted, stays for the admin to fill in.
    """

    def replacement(found: re.Match[str]) -> str:
        value = values.get(found[1])
        if value is None:
            return found[0]
        try:
            return quote(value)
        except Unquotable:
            return found[0]

    return PLACEHOLDER.sub(replacement, command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `where` is the path in the admin center, `command` PowerShell with `<placeholders>`.

    `source` is the page that documents it, `checked` the month in which it was read (YYYY-MM).
    """

    text: str
    source: str
    checked: str
    where: str | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """The steps for one kind of incident; `meaning` explains it in one or two sentences."""

    name: str
    title: str
    meaning: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledStep:
    """A step for one incident: `commands` are ready to paste, `more` counts those left out."""

    text: str
    where: str | None
    commands: tuple[str, ...]
    more: int
    source: str


def shipped_playbooks() -> dict[str, Playbook]:
    """Return the playbooks that ship with the program, by name."""
    return load_playbooks(shipped_files.data_file("playbooks.toml").read_text(encoding="utf-8"))


def load_playbooks(text: str) -> dict[str, Playbook]:
    """Read playbooks from TOML, by name.

    Raises PlaybookFault for bad TOML, unknown keys or placeholders, and steps without a source.
    """
    try:
        rows = tomllib.loads(text).get("playbook", [])
    except tomllib.TOMLDecodeError as error:
        raise PlaybookFault(f"playbooks: {error}") from error
    playbooks: dict[str, Playbook] = {}
    for row in rows:
        playbook = _playbook(row)
        if playbook.name in playbooks:
            raise PlaybookFault(f"playbook {playbook.name!r} stands there twice")
        playbooks[playbook.name] = playbook
    return playbooks


def _playbook(row: Mapping[str, Any]) -> Playbook:
    name = str(row.get("name", "without a name"))
    _expect_keys(f"playbook {name!r}", row, _PLAYBOOK_KEYS, _PLAYBOOK_KEYS)
    steps = tuple(
        _step(f"playbook {name!r}, step {number}", step) for number, step in enumerate(row["step"], 1)
    )
    return Playbook(name=name, title=row["title"], meaning=row["meaning"], steps=steps)


def _step(place: str, row: Mapping[str, Any]) -> Step:
    _expect_keys(place, row, _STEP_KEYS, {"text", "source", "checked"})
    unknown = set(PLACEHOLDER.findall(row.get("command", ""))) - PLACEHOLDERS
    if unknown:
        raise PlaybookFault(f"{place}: unknown placeholder <{min(unknown)}>")
    if not str(row["source"]).startswith("https://"):
        raise PlaybookFault(f"{place}: the source must be an https address")
    if not _CHECKED.fullmatch(str(row["checked"])):
        raise PlaybookFault(f"{place}: checked must be a date such as 2026-11")
    return Step(**{key: str(value) for key, value in row.items()})


def _expect_keys(place: str, row: Mapping[str, Any], known: set[str], needed: set[str]) -> None:
    if set(row) - known:
        raise PlaybookFault(f"{place}: unknown key {min(set(row) - known)!r}")
    if needed - set(row):
        raise PlaybookFault(f"{place}: {min(needed - set(row))!r} is missing")


def fill_steps(playbook: Playbook, finding: Finding) -> tuple[FilledStep, ...]:
    """Return the steps with the incident's own senders, domains and times, quoted for PowerShell."""
    return tuple(
        FilledStep(
            text=step.text,
            where=step.where,
            commands=_commands(step.command, finding)[:MAX_COMMANDS],
            more=max(len(_commands(step.command, finding)) - MAX_COMMANDS, 0),
            source=step.source,
        )
        for step in playbook.steps
    )


def _commands(command: str | None, finding: Finding) -> tuple[str, ...]:
    """Return one command for each value of the first placeholder that has several."""
    if command is None:
        return ()
    times = _times(finding)
    named = next((name for name in _EACH if f"<{name}>" in command), None)
    values = _values(named, finding) if named else ()
    if not values or named is None:
        return (fill(command, times),)
    return tuple(fill(command, {**times, named: value}) for value in values)


def _values(name: str, finding: Finding) -> tuple[str, ...]:
    if name == "sender":
        return finding.senders
    if name == "recipient_domain":
        return finding.recipient_domains
    return tuple(dict.fromkeys(domain for domain in map(domain_of, finding.senders) if domain))


def _times(finding: Finding) -> dict[str, str]:
    """Return the time span for a message trace, with an hour on each side, at most ten days as it allows."""
    until = finding.last_at + timedelta(hours=1)
    since = max(finding.first_at - timedelta(hours=1), until - timedelta(days=10))
    return {"since": f"{since:%Y-%m-%dT%H:%M:%SZ}", "until": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
