"""Write what is generated from models and commands: reference pages, manual pages, completions.

    python tools/make_reference.py            writes them (`make reference`)
    python tools/make_reference.py --check    changes nothing; ends with 1 if a page is stale (`make check`)

Completions are not compared, because only the program's name in them is ours.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reference import completions, coverage, manual, pages

ROOT = Path(__file__).parent.parent


def written() -> dict[str, str]:
    """Return the generated pages by their path below the repository."""
    return {
        "docs/configuration.md": pages.configuration(),
        "docs/commands.md": pages.commands(),
        "docs/how-it-decides.md": pages.decisions(),
        "docs/refusals.md": pages.refusals(),
        "docs/guide-coverage.md": coverage.page(),
        "share/man/man1/bounce-watch.1": manual.commands(),
        "share/man/man5/bounce-watch.toml.5": manual.configuration(),
    }


def stale(root: Path) -> list[str]:
    """Return the paths of pages that are missing or out of date."""
    return [name for name, text in written().items() if not _same(root / name, text)]


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def write(root: Path) -> None:
    scripts = {place: completions.script(shell) for shell, place in completions.PLACES.items()}
    for name, text in {**written(), **scripts}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the pages that are generated from the code.")
    parser.add_argument("--check", action="store_true", help="change nothing, name the stale pages")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder that holds docs/ and share/")
    given = parser.parse_args(arguments)
    if not given.check:
        write(given.root)
        return 0
    found = stale(given.root)
    for name in found:
        sys.stderr.write(f"{name} is not what the code says: run `make reference`, commit its changes\n")
    sys.stdout.write(f"reference: {len(found)} stale pages\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
