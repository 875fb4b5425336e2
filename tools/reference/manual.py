"""The manual pages bounce-watch(1) and bounce-watch.toml(5), in the macros of man(7)."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from bounce_watch import __version__
from reference.pages import secrets
from reference.program import STATUSES, Command, Parameter, program
from reference.settings import Key, tables

CHANGELOG = Path(__file__).parent.parent.parent / "CHANGELOG.md"

_FILES = (
    ("$XDG_CONFIG_HOME/bounce-watch/config.toml", "The configuration of one person."),
    ("/etc/bounce-watch/config.toml", "The configuration of the service, see bounce-watch.toml(5)."),
    ("/var/lib/bounce-watch/bounce-watch.db", "The store, unless store.path names another place."),
)
_EXAMPLES = (
    ("See it work, without a server and an account.", "bounce-watch demo"),
    ("Test every part, then send one mail that must bounce.", "bounce-watch check --probe"),
    ("Let answers go that are held.", "bounce-watch outbox release --all"),
    ("Tell the help desk what happened to a colleague.", "bounce-watch person anna@example.com"),
    ("Explain what a server said.", 'bounce-watch explain "550 5.4.1 Recipient address rejected"'),
)


def commands() -> str:
    """Return bounce-watch(1)."""
    root = program()
    return _joined(
        _head("BOUNCE-WATCH", 1),
        _section("NAME", [r"bounce\-watch \- watch a bounce mailbox and tell each person what to do"]),
        _section("SYNOPSIS", [f"{_bold(root.name)} [OPTIONS] COMMAND [ARGUMENTS]"]),
        _section("DESCRIPTION", [*_sentences(root.about), *_talk()]),
        _section("OPTIONS", _parameters(root.options)),
        _section("COMMANDS", (line for one in root.below for line in _command(one))),
        _section("EXIT STATUS", _list((str(code.value), text) for code, text in STATUSES.items())),
        _section("ENVIRONMENT", _environment()),
        _section("FILES", _list(_FILES)),
        _section("EXAMPLES", (line for text, typed in _EXAMPLES for line in _example(text, typed))),
        _section("SEE ALSO", [r"\fBbounce\-watch.toml\fR(5)"]),
    )


def configuration() -> str:
    """Return bounce-watch.toml(5)."""
    return _joined(
        _head("BOUNCE-WATCH.TOML", 5),
        _section("NAME", [r"bounce\-watch.toml \- configuration of bounce\-watch"]),
        _section(
            "DESCRIPTION",
            _sentences(
                "One TOML file says everything. "
                "`bounce-watch init` writes it, `bounce-watch check` tests it. "
                "An unknown key is an error. "
                "Relative paths start at the folder in which the file lies."
            ),
        ),
        _section("TABLES", _all_tables()),
        _section("FILES", _list(_FILES[:2])),
        _section("SEE ALSO", [r"\fBbounce\-watch\fR(1)"]),
    )


def _head(name: str, section: int) -> list[str]:
    released = re.search(r"^## \[[\d.]+\] - (\S+)$", CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)
    day = released[1] if released else ""
    return [
        r".\" Written by `make reference`.",
        f'.TH {name} {section} {day} "bounce\\-watch {__version__}" "bounce\\-watch"',
    ]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return [f".SH {title}", *lines]


def _talk() -> Iterator[str]:
    yield ".PP"
    yield from _sentences(
        "Data goes to standard output, talk and progress to standard error. "
        "`--json` prints one object a line; `--csv` is safe to open in a spreadsheet."
    )


def _command(command: Command) -> Iterator[str]:
    if command.is_callable or not command.below:
        yield f".SS {_plain(command.usage)}"
        yield from _sentences(command.about)
        yield from _parameters((*command.arguments, *command.options))
    for one in command.below:
        yield from _command(one)


def _parameters(parameters: Iterable[Parameter]) -> Iterator[str]:
    for one in parameters:
        default = (
            f" ({'' if one.default[:1].isalpha() and one.default in _LIMITS else 'default: '}{one.default})"
        )
        yield from _tagged(one.typed, one.about + (default if one.default else ""))


_LIMITS = ("required",)


def _table(header: str, about: str, keys: Iterable[Key]) -> Iterator[str]:
    yield f".SS {_plain(header)}"
    yield from _sentences(about)
    for key in keys:
        default = "Required." if key.default is None else f"Default: {key.default}." if key.default else ""
        about = re.sub(r"\[(\w+)\]\(#\w+\)", r"\1", key.about)
        yield from _tagged(key.name, f"{about} Takes: {key.takes}. {default}")


def _environment() -> Iterator[str]:
    yield from _tagged("BOUNCE_WATCH_CONFIG", "The configuration file.")
    for secret in secrets():
        yield from _tagged(
            secret.variable, f"The {secret.what}; a command or file in the configuration wins."
        )


def _all_tables() -> Iterator[str]:
    for table in tables():
        yield from _table(table.header, table.about, table.keys)


def _list(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    for tag, text in entries:
        yield from _tagged(tag, text)


def _example(text: str, typed: str) -> list[str]:
    return [_plain(text), ".RS 4", ".nf", _bold(typed), ".fi", ".RE", ".PP"]


def _tagged(tag: str, text: str) -> list[str]:
    return [".TP", _bold(tag), *_sentences(text)]


def _sentences(text: str) -> list[str]:
    """Begin a line with every sentence, as roff wants it; spans of code become bold."""
    return [
        _guarded(line)
        for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z`])", text.strip())
        for line in _wrapped("".join(_span(piece) for piece in re.split(r"(`[^`]*`)", sentence)))
    ]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, 79, break_long_words=False, break_on_hyphens=False)


def _span(piece: str) -> str:
    return _bold(piece.strip("`")) if piece.startswith("`") else _plain(piece)


def _bold(text: str) -> str:
    return f"\\fB{_plain(text)}\\fR"


def _plain(text: str) -> str:
    """Escape what roff would read as its own; a hyphen stays one that can be typed."""
    return _guarded(text.replace("\\", "\\e").replace("-", "\\-"))


def _guarded(line: str) -> str:
    return f"\\&{line}" if line[:1] in {".", "'"} else line


def _joined(*parts: list[str]) -> str:
    text = "".join(f"{line}\n" for part in parts for line in part)
    return text.replace(".PP\n.SH", ".SH")
