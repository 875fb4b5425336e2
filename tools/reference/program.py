"""The commands of the program, read from the tree that the command line itself is made of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import typer.main

from bounce_watch.cli.app import COMMANDS, app
from bounce_watch.cli.common.exit_status import Exit

PROGRAM = "bounce-watch"
_OWN = {"--help", "--install-completion", "--show-completion"}

_EXTRA = re.compile(r"(?P<about>.*?)(?: ?\[(?P<extra>(?:default: |required|\d+ to \d+).*)\])?")

STATUSES = {
    Exit.DONE: "done",
    Exit.FAILED: "failed; the message says what repairs it",
    Exit.USAGE: "the command line is wrong",
    Exit.UNAVAILABLE: "a server cannot be reached",
    Exit.TRY_LATER: "try later: another process holds the store, or a message could not be fetched",
    Exit.REFUSED: "a server refuses the sign-in or a permission",
    Exit.CONFIGURATION: "the configuration is wrong",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An option or an argument. `limits` holds bounds, or that it is required; both may be empty."""

    typed: str
    about: str
    default: str
    limits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command; a group has commands below it and may do something by itself."""

    path: tuple[str, ...]
    about: str
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...]
    operands: tuple[str, ...]
    below: tuple["Command", ...]
    is_callable: bool

    @property
    def name(self) -> str:
        return " ".join(self.path)

    @property
    def usage(self) -> str:
        """Return the line that one types."""
        words = [self.name, *(["[OPTIONS]"] if self.options else []), *self.operands]
        if self.below:
            words.append("[COMMAND]" if self.is_callable else "COMMAND")
        return " ".join(words)

    @property
    def headline(self) -> str:
        return re.split(r"(?<=[.!?])\s", self.about, maxsplit=1)[0]

    def walk(self) -> Iterator["Command"]:
        yield self
        for command in self.below:
            yield from command.walk()


@cache
def program() -> Command:
    """Return the whole program."""
    root: Any = typer.main.get_command(app)
    for name in COMMANDS:
        root.load(name)
    return _command(root, (PROGRAM,))


def _command(node: Any, path: tuple[str, ...]) -> Command:
    context = typer.Context(node, info_name=path[-1])
    shown = [one for one in node.params if not one.hidden and not _OWN.intersection(one.opts)]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    below = [_command(one, (*path, name)) for name, one in getattr(node, "commands", {}).items()]
    return Command(
        path=path,
        about=" ".join((node.help or "").split()),
        arguments=tuple(_parameter(one, context) for one in arguments),
        options=tuple(_parameter(one, context) for one in shown if one not in arguments),
        operands=tuple(_metavar(one) if one.required else f"[{_metavar(one)}]" for one in arguments),
        below=tuple(below),
        is_callable=not below or bool(node.invoke_without_command),
    )


def _parameter(node: Any, context: typer.Context) -> Parameter:
    _, said = node.get_help_record(context)
    words = _EXTRA.fullmatch(" ".join(said.split()))
    if words is None:
        raise ValueError(f"the help of {node.name} cannot be read: {said}")
    parts = [part for part in (words["extra"] or "").split("; ") if part]
    default = [part.removeprefix("default: ") for part in parts if part.startswith("default: ")]
    limits = [part for part in parts if not part.startswith("default: ")]
    return Parameter(
        typed=_typed(node), about=words["about"], default="".join(default), limits=", ".join(limits)
    )


def _typed(node: Any) -> str:
    """Return what one types for a parameter; the words are ours, for those of typer change."""
    if node.param_type_name == "argument":
        return _metavar(node)
    names = ", ".join(sorted([*node.opts, *node.secondary_opts], key=len))
    return names if node.is_flag else f"{names} {_metavar(node)}"


def _metavar(node: Any) -> str:
    word = str(node.metavar or node.name.removeprefix("as_").replace("_", "-").upper())
    return f"{word}..." if node.nargs == -1 and not word.endswith("...") else word
