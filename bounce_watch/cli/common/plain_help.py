"""Help in plain words: what to type for each option, without the types and bounds of Python."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import typer

_NUMBER = re.compile(r" <?(?:int|float)", re.IGNORECASE)
_PATH = re.compile(r" <?(?:path|file|directory)>?$", re.IGNORECASE)
_SAME_FOR_ALL = re.compile(r"(?:; )?x>=[01](?=\])")
_BETWEEN = re.compile(r"(\d+)<=x<=(\d+)")
_NOTHING = re.compile(r" *\[\]$")
_TYPE = re.compile(r" <[^<>]+>$")
_BRACES = re.compile(r"[{}]|(?<=\.\.\.[]}])\.\.\.$")
_WORDS = {"since": "TIME", "until": "TIME"}

Record = tuple[str, str] | None


def speak_plainly(command: Any) -> None:
    """Give each parameter of a command, and of those below it, a plain word for its value."""
    context, usage = typer.Context(command, info_name=command.name), command.collect_usage_pieces
    command.collect_usage_pieces = lambda context: [_BRACES.sub("", piece) for piece in usage(context)]
    for parameter in command.params:
        record = parameter.get_help_record
        if not parameter.metavar and not getattr(parameter, "is_flag", False):
            parameter.metavar = _word(parameter.name, record(context)[0])
        parameter.get_help_record = partial(_plainly, record)
    for below in getattr(command, "commands", {}).values():
        speak_plainly(below)


def _word(name: str, shown: str) -> str:
    """Return what stands for the value: `--keep-days NUMBER`, `--store PATH`, `--time-zone ZONE`."""
    if _NUMBER.search(shown):
        return "NUMBER"
    word = name.rpartition("_")[2]
    return "PATH" if _PATH.search(shown) else _WORDS.get(word, word.upper())


def _plainly(record: Callable[[Any], Record], context: Any) -> Record:
    """Return a parameter's lines of help without its type and bounds such as x>=0; others as `1 to 1000`."""
    said = record(context)
    if said is None:
        return None
    about = _BETWEEN.sub(r"\1 to \2", _SAME_FOR_ALL.sub("", said[1]))
    return _TYPE.sub("", said[0]), _NOTHING.sub("", about)
