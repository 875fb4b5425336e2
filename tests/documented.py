"""The shell blocks of the documents; a comment before each says which step of a test it is, or why none.

`<!-- run: check -->` names the step, `<!-- not run: it needs a tenant -->` the reason.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
GENERATED = frozenset(("commands.md", "configuration.md", "how-it-decides.md", "refusals.md"))
"""Their blocks are usage lines and sections; `make reference` compares them with the program."""

_BLOCK = re.compile(
    r"(?:^[ ]*<!-- (?P<verb>run|not run): (?P<what>.+?) -->\n\n?)?"
    r"^(?P<indent>[ ]*)```(?P<language>\w+)\n(?P<code>.*?)^[ ]*```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block. `step` is its name in a test, `reason` why no test runs it; None for no marker."""

    page: str
    line: int
    language: str
    code: str
    step: str | None
    reason: str | None


def pages() -> list[Path]:
    """Return the documents that people write by hand."""
    written = (path for path in (ROOT / "docs").glob("*.md") if path.name not in GENERATED)
    return [ROOT / "README.md", *sorted(written)]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        verb, what = found["verb"], found["what"]
        yield Block(
            page=page.name,
            line=text.count("\n", 0, found.start("indent")) + 1,
            language=found["language"],
            code=found["code"].replace("\n" + found["indent"], "\n").removeprefix(found["indent"]),
            step=what if verb == "run" else None,
            reason=what if verb == "not run" else None,
        )


def steps() -> dict[str, str]:
    """Return the code that tests run, by the names of its steps; pages that share a step say the same."""
    found: dict[str, str] = {}
    for block in (block for page in pages() for block in blocks(page) if block.step):
        code = re.sub(r"(?m)\s+#.*$", "", block.code)
        assert found.setdefault(str(block.step), code) == code, f"{block.page}:{block.line} differs: {code}"
    return found
