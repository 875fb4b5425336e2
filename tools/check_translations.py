"""Check the translations of the replies: which are missing, left over, or older than the English text.

The first line of a translation, `{# en: 4f2a91c07be3 #}`, names the English text it was made from.
After an English text changes, its translations are stale until a translator reviews and marks them:

    python tools/check_translations.py --reviewed templates/replies/fr/mailbox_full.j2 ...
"""

import argparse
import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPLIES = ROOT / "templates" / "replies"
ENGLISH = "en"
_MARK = re.compile(r"\A{# en: ([0-9a-f]{12}) #}\n")


def fingerprint(english: str) -> str:
    """Return twelve hexadecimal digits for a text; line breaks and indentation do not count."""
    return hashlib.sha256(" ".join(english.split()).encode()).hexdigest()[:12]


def texts(folder: Path) -> dict[str, str]:
    """Return the texts of one language by their path below its folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.j2"))
    }


def problems(replies: Path) -> Iterator[str]:
    """Yield one line per problem, starting with the file."""
    english = texts(replies / ENGLISH)
    for folder in sorted(path for path in replies.iterdir() if path.is_dir() and path.name != ENGLISH):
        translated = texts(folder)
        place = f"templates/replies/{folder.name}"
        for name in english.keys() - translated.keys():
            yield f"{place}/{name}: missing, so people read English"
        for name in translated.keys() - english.keys():
            yield f"{place}/{name}: there is no English text of this name"
        for name in sorted(english.keys() & translated.keys()):
            mark = _MARK.match(translated[name])
            if mark is None:
                yield f"{place}/{name}: the first line does not name its English text"
            elif mark[1] != fingerprint(english[name]):
                yield f"{place}/{name}: stale, the English text has changed since it was translated"


def mark_reviewed(path: Path) -> None:
    """Write the fingerprint of today's English text into the first line of a translation."""
    folder = next(parent for parent in path.parents if parent.parent.name == "replies")
    english = folder.with_name(ENGLISH) / path.relative_to(folder)
    mark = f"{{# en: {fingerprint(english.read_text(encoding='utf-8'))} #}}\n"
    path.write_text(mark + _MARK.sub("", path.read_text(encoding="utf-8")), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check that every language says what English says.")
    parser.add_argument(
        "--reviewed",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="translations that are right for the English text as it stands",
    )
    for path in (path.resolve() for path in parser.parse_args(arguments).reviewed):
        if REPLIES not in path.parents or path.is_relative_to(REPLIES / ENGLISH):
            parser.error(f"{path.name} is no translation below templates/replies")
        mark_reviewed(path)
    found = list(problems(REPLIES))
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    if found:
        sys.stderr.write("Right a translation, then: tools/check_translations.py --reviewed FILE...\n")
    sys.stdout.write(f"translations: {len(found)} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
