"""Check the documents: links, one sentence per line, commands they name, and text that no file may contain.

Print one line per finding; the exit status is 1 if there is any.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`[^`]*`")
SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\betc)[.!?][\")]?\s+(?=[A-Z])")
COMMAND = re.compile(
    r"\bbounce-watch(?: (?:--config|-c) \S+)?(?:[ \t]+([a-z][a-z-]*))?((?:[ \t]+[^\s`|;&]+)*)"
)
OPTION = re.compile(r"(?<=\s)--[a-z][a-z-]*")

# Folders of one machine, and hosts of package registries: a clone elsewhere has other ones.
MACHINE = re.compile(r"(?<![\w.])/(?:work|root|tmp/(?:venv|bash_jobs))/")
REGISTRY = re.compile(r"\b(?:[a-z0-9-]+\.)*(?:pypi|pythonhosted|npmjs|crates|debian)\.(?:org|com|io|net)\b")


def tracked() -> list[Path]:
    """Return the files that git tracks and that still exist."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout  # noqa: S607
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def findings(files: list[Path]) -> Iterator[str]:
    for path in files:
        place = path.relative_to(ROOT)
        for number, problem in problems(path):
            yield f"{place}:{number}: {problem}"


def problems(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line number and problem of one file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    yield from forbidden(text)
    if path.suffix == ".md":
        yield from broken_links(path, text)
        yield from crowded_lines(text)
        yield from unknown_commands(text)


def unlisted(files: list[Path], navigation: str) -> Iterator[str]:
    """Yield pages of docs/ that are missing in the site's navigation; decisions are listed automatically."""
    for path in files:
        if path.parent == ROOT / "docs" and path.suffix == ".md" and f" {path.name}\n" not in navigation:
            yield f"docs/{path.name}:1: the site does not show it: add it to nav in mkdocs.yml"


def forbidden(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if found := MACHINE.search(line):
            yield number, f"names a folder of one machine: {found[0]}"
        if found := REGISTRY.search(line):
            yield number, f"names a package registry's host: {found[0]}"


def broken_links(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Yield links to files or headings that don't exist."""
    for number, line in enumerate(_blanked(text).splitlines(), start=1):
        for target in LINK.findall(CODE.sub("", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            other = (path.parent / name).resolve() if name else path
            if not other.exists():
                yield number, f"link to a file that is not there: {target}"
            elif anchor and anchor not in anchors(other):
                yield number, f"link to a heading that is not there: {target}"


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a Markdown file's headings, in the form that GitHub gives them."""
    headings = re.findall(r"^#+\s+(.*)$", _blanked(path.read_text(encoding="utf-8")), re.MULTILINE)
    return frozenset(
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    )


def crowded_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with more than one sentence, except in tables and code."""
    for number, line in enumerate(_blanked(text).splitlines(), start=1):
        plain = CODE.sub("x", re.sub(r"^(?:#+ |\s*)(?:\d+\.|[-*])\s+", "", line))
        if not line.lstrip().startswith("|") and SENTENCE_END.search(plain):
            yield number, "more than one sentence on a line"


def unknown_commands(text: str) -> Iterator[tuple[int, str]]:
    """Yield commands and options of bounce-watch that its help doesn't list; `dns X` means `dns ask X`."""
    for number, code in code_lines(text):
        for command, rest in COMMAND.findall(code):
            if command and command not in listed_commands():
                yield number, f"no such command: bounce-watch {command}"
            elif command:
                known = options(command, *_subcommand(command, rest))
                for option in OPTION.findall(f" {rest}"):
                    if option not in known:
                        yield number, f"bounce-watch {command} has no option {option}"


def code_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the code of a document: the lines of its blocks and the spans in its sentences."""
    prose = _blanked(text).splitlines()
    for number, line in enumerate(text.splitlines(), start=1):
        if number <= len(prose) and prose[number - 1] == line:
            yield from ((number, span.strip("`")) for span in CODE.findall(line))
        else:
            yield number, line


def _subcommand(command: str, rest: str) -> tuple[str, ...]:
    word = next(iter(rest.split()), "")
    known = listed_commands(command)
    return (word,) if word in known else ("ask",) if "ask" in known else ()


@cache
def listed_commands(*command: str) -> frozenset[str]:
    """Return the commands that a help page lists, in one group or in several."""
    sections = re.findall(r"^(\S[^\n]*):\n((?:[ ]{2}[^\n]*\n?)+)", help_page(*command), re.MULTILINE)
    listing = "".join(lines for title, lines in sections if title not in {"Options", "Arguments"})
    return frozenset(re.findall(r"^[ ]{2}([a-z][a-z-]*)(?=\s{2}|\s*$)", listing, re.MULTILINE))


@cache
def options(*command: str) -> frozenset[str]:
    return frozenset(re.findall(r"--[a-z][a-z-]*", help_page(*command)))


@cache
def help_page(*command: str) -> str:
    plain = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    call = [sys.executable, "-m", "bounce_watch", *command, "--help"]
    return subprocess.run(call, cwd=ROOT, env=plain, check=True, capture_output=True, text=True).stdout  # noqa: S603


def _blanked(text: str) -> str:
    """Return a document without its code blocks and with the same line numbers."""
    return FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)


def main() -> int:
    files = tracked()
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    found = [*findings(files), *unlisted(files, navigation)]
    for line in found:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(f"documents: {len(found)} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
