"""Playbooks of steps for admins, read from data/playbooks.toml."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bounce_watch import shipped_files
from bounce_watch.notifications.errors import PlaybookFault

PLACEHOLDER = re.compile(r"<([a-z][a-z_]*)>")
EACH = ("sender", "sender_domain", "recipient", "recipient_domain", "message_id", "sending_address")
_TIMES = ("since", "before", "until")
_FOR_THE_ADMIN = ("user", "connector")
PLACEHOLDERS = frozenset((*EACH, *_TIMES, *_FOR_THE_ADMIN))
EXCHANGE, WINDOWS = "Exchange", "Windows"
_CMDLET = re.compile(r"\b[A-Z][a-z]+-[A-Z][A-Za-z0-9]+")
_BUILT_IN = {"ForEach-Object", "Format-List", "Format-Table", "Group-Object", "Select-Object", "Sort-Object"}
_BUILT_IN |= {"Where-Object"}
_STEP_KEYS = {"text", "where", "command", "source", "checked", "only", "unless"}
_PLAYBOOK_KEYS = {"name", "title", "meaning", "step"}
_CHECKED = re.compile(r"\d{4}-\d{2}(-\d{2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `where` is the path in the admin center, `command` PowerShell with `<placeholders>`.

    `source` is the page that documents it, `checked` the month in which it was read (YYYY-MM).
    `only` and `unless` are status codes that the step is for, or not for. `needs` names what its commands
    need: EXCHANGE, WINDOWS, or permissions of Microsoft Graph.
    """

    text: str
    source: str
    checked: str
    where: str | None = None
    command: str | None = None
    only: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()

    def applies(self, statuses: Collection[str]) -> bool:
        if self.only:
            return not self.only.isdisjoint(statuses)
        return not (self.unless and statuses and self.unless.issuperset(statuses))


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """The steps for one kind of incident; `meaning` explains it in one or two sentences."""

    name: str
    title: str
    meaning: str
    steps: tuple[Step, ...]


def shipped_playbooks() -> dict[str, Playbook]:
    return load_playbooks(shipped_files.data_file("playbooks.toml").read_text(encoding="utf-8"))


def load_playbooks(text: str) -> dict[str, Playbook]:
    """Read playbooks from TOML, by name.

    Raises PlaybookFault for bad TOML, unknown keys or placeholders, and steps without a source.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlaybookFault(f"playbooks: {error}") from error
    playbooks: dict[str, Playbook] = {}
    for row in tables.get("playbook", []):
        playbook = _playbook(row, tables.get("scopes", {}))
        if playbook.name in playbooks:
            raise PlaybookFault(f"playbook {playbook.name!r} stands there twice")
        playbooks[playbook.name] = playbook
    return playbooks


def _playbook(row: Mapping[str, Any], scopes: Mapping[str, str]) -> Playbook:
    name = str(row.get("name", "without a name"))
    _expect_keys(f"playbook {name!r}", row, _PLAYBOOK_KEYS, _PLAYBOOK_KEYS)
    steps = tuple(
        _step(f"playbook {name!r}, step {number}", step, scopes) for number, step in enumerate(row["step"], 1)
    )
    return Playbook(name=name, title=row["title"], meaning=row["meaning"], steps=steps)


def _step(place: str, row: Mapping[str, Any], scopes: Mapping[str, str]) -> Step:
    _expect_keys(place, row, _STEP_KEYS, {"text", "source", "checked"})
    unknown = set(PLACEHOLDER.findall(row.get("command", ""))) - PLACEHOLDERS
    if unknown:
        raise PlaybookFault(f"{place}: unknown placeholder <{min(unknown)}>")
    if not str(row["source"]).startswith("https://"):
        raise PlaybookFault(f"{place}: the source must be an https address")
    if not _CHECKED.fullmatch(str(row["checked"])):
        raise PlaybookFault(f"{place}: checked must be a date such as 2026-11")
    needs = frozenset(_need(place, name, scopes) for name in _CMDLET.findall(row.get("command", "")))
    return Step(
        text=str(row["text"]),
        source=str(row["source"]),
        checked=str(row["checked"]),
        where=row.get("where"),
        command=row.get("command"),
        only=frozenset(row.get("only", ())),
        unless=frozenset(row.get("unless", ())),
        needs=needs - {""},
    )


def _need(place: str, cmdlet: str, scopes: Mapping[str, str]) -> str:
    """Return what a cmdlet needs, empty for nothing. Raises PlaybookFault for Graph without a permission."""
    if cmdlet in _BUILT_IN:
        return ""
    if cmdlet == "Resolve-DnsName":
        return WINDOWS
    if "-Mg" not in cmdlet:
        return EXCHANGE
    if cmdlet not in scopes:
        raise PlaybookFault(f"{place}: [scopes] has no permission for {cmdlet}")
    return scopes[cmdlet]


def _expect_keys(place: str, row: Mapping[str, Any], known: set[str], needed: set[str]) -> None:
    if set(row) - known:
        raise PlaybookFault(f"{place}: unknown key {min(set(row) - known)!r}")
    if needed - set(row):
        raise PlaybookFault(f"{place}: {min(needed - set(row))!r} is missing")
