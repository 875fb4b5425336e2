"""The page that shows where each advice of the troubleshooting guide reaches a person.

It is made from the texts themselves: a row whose words stand in no letter, alert, digest or command is an
error, so the page cannot claim what is not there.
"""

import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from bounce_watch import shipped_files
from bounce_watch.classify.catalogue.row import Row
from bounce_watch.cli.app import COMMANDS
from bounce_watch.model import Cause, Owner, Side
from bounce_watch.notifications import template_samples as samples
from bounce_watch.notifications.alert.playbooks import shipped_playbooks
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.habits import shipped_habits
from bounce_watch.sandbox.jobs import shipped_catalogue

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("guide_coverage.toml")
INTRODUCTION = """# What the troubleshooting guide advises, and where people read it

The project began with a public guide, "Troubleshooting Email Delivery Failures in Exchange Online".
Each row names advice of the guide or of the vendors' pages, and the text in which a person gets it.
This page is made by `make reference` from these texts: it fails if the words aren't there.
"""
_PLACES = {
    "reply": "reply to the sender",
    "alert": "alert",
    "digest": "digest, weekly habit",
    "code": "`explain`, alert and digest",
    "advice": "`explain` and `show`",
    "command": "command",
}


def page() -> str:
    """Return the page. Raises ValueError for a row whose words are in no text."""
    tables = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return "\n".join([INTRODUCTION, *(_section(section) for section in tables["section"])])


def _section(section: dict[str, Any]) -> str:
    rows = [f"| {row['says']} | {_told(row)} | {row.get('right', '')} |" for row in section["rows"]]
    return "\n".join(
        [f"## {section['title']}", "", "| advice | who says it | what is right |", "|---|---|---|", *rows, ""]
    )


def _told(row: dict[str, Any]) -> str:
    return "<br>".join(_checked(row["says"], claim) for claim in row["told"])


def _checked(says: str, claim: str) -> str:
    place, name, words = (part.strip() for part in claim.split(":", 2))
    if _plain(words) not in _plain(_TEXTS[place](name)):
        raise ValueError(f"guide coverage, {says!r}: {place} {name} doesn't say {words!r}")
    shown = "advice" if place == "code" and not _row(name).has_own_admin_steps else place
    return f"{_PLACES[shown]} `{name}`" + (f': "{words}"' if words else "")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


@cache
def _composer() -> Composer:
    return Composer([ROOT / "templates"], samples.ORGANISATION, shipped_playbooks(), shipped_catalogue())


@cache
def _reply(cause: str) -> str:
    sides = (Side.OURS, Side.THEIRS)
    facts = (samples.reply_facts(samples.bounce(Cause(cause), Owner.SENDER, side)) for side in sides)
    return "\n".join(_composer().reply(one).text for one in facts)


@cache
def _alert(playbook: str) -> str:
    """Return an alert of the playbook with all its steps, also those for other codes."""
    steps = shipped_playbooks()[playbook].steps
    told = "\n".join(f"{step.text} {step.where} {step.command}" for step in steps)
    return f"{_composer().alert(samples.alert_facts(playbook)).text}\n{told}"


def _habit(name: str) -> str:
    return next(f"{habit.text} {habit.where}" for habit in shipped_habits() if habit.name == name)


def _row(name: str) -> Row:
    return next(row for row in shipped_catalogue().rows if row.name == name)


def _code(name: str) -> str:
    row = _row(name)
    return " ".join((row.title, row.meaning, *row.sender_steps, *row.admin_steps))


def _advice(cause: str) -> str:
    tables = tomllib.loads(shipped_files.data_file("codes.toml").read_text(encoding="utf-8"))
    advice = tables["advice"][cause]
    return " ".join((*advice["sender_steps"], *advice["admin_steps"]))


def _command(name: str) -> str:
    """Return the source of a command, with its texts joined as they are printed."""
    module = COMMANDS[name].module.replace(".", "/")
    source = (ROOT / "bounce_watch" / "cli" / f"{module}.py").read_text(encoding="utf-8")
    return re.sub(r'"\s*\n\s*f?"', "", source)


_TEXTS: dict[str, Callable[[str], str]] = {
    "reply": _reply,
    "alert": _alert,
    "digest": _habit,
    "code": _code,
    "advice": _advice,
    "command": _command,
}
