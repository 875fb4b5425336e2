"""A hook of MkDocs: pages of the site that live outside docs/, and the list of the decisions.

The README becomes the home page. Links are set right for the site; one that leads to a file
which is not on the site stays as its text.
"""

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parent.parent
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the pages that are made here."""
    # Imported late: only `make docs` needs MkDocs, the links are tested without it.
    from mkdocs.structure.files import File

    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=relinked(text)))
    files.append(File.generated(config, "adr/index.md", content=decisions()))
    assert config.nav is not None  # noqa: S101 - mkdocs.yml has one
    config.nav.append({"Decisions": ["adr/index.md", *(f"adr/{path.name}" for path in _decided())]})
    return files


def relinked(text: str) -> str:
    """Turn links of a file at the top of the repository into links of the site."""
    return LINK.sub(lambda link: _relinked(*link.groups()), text)


def _relinked(sign: str, words: str, target: str) -> str:
    name, mark, anchor = target.partition("#")
    if re.match(r"[a-z]+:", target) or not name:
        return f"{sign}[{words}]({target})"
    if name in PAGES:
        return f"{sign}[{words}]({PAGES[name]}{mark}{anchor})"
    inside = PurePosixPath(name)
    if inside.parts[0] != "docs":
        return words
    page = "/".join(inside.parts[1:])
    return f"{sign}[{words}]({page if inside.suffix else f'{page}/index.md'}{mark}{anchor})"


def decisions() -> str:
    """Return the list of the decisions, by the headings of their files."""
    lines = ["# Decisions", "", "What was decided, why, and what follows.", ""]
    for path in _decided():
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        lines.append(f"- [{title}]({path.name})".replace(". ", "\\. ", 1))
    return "\n".join([*lines, ""])


def _decided() -> list[Path]:
    return sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
