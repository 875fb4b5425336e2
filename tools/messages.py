"""Bring the translators' catalogs up to date with the English texts, or check that they are (--check).

Babel collects the texts of the templates and the code (pyproject.toml, tool.babel) and merges them into each
catalog. A new text has no translation, a changed one has its old translation marked as fuzzy: translate it,
or review it and remove the mark. A catalog is complete when every text is translated and none is fuzzy.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import chdir
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

from bounce_watch.notifications.rendering.catalogs import DOMAIN, placeholder_faults

ROOT = Path(__file__).parent.parent


def collect(target: Path) -> None:
    """Write every English text, with the translators' comments, into a template of catalogs (.pot)."""
    options = ["--add-location", "file", "--no-wrap", "--sort-by-file", "--project", "bounce_watch"]
    comments = ["--add-comments", "Translators:", "--strip-comments"]
    # `say` is what long functions call a translator's gettext.
    comments += ["--keywords", "say"]
    mapping = ["--mapping-file", "pyproject.toml", "--output-file", str(target)]
    with chdir(ROOT):
        CommandLineInterface().run(  # type: ignore[no-untyped-call]
            ["pybabel", "--quiet", "extract", *mapping, *options, *comments, "."]
        )


def update(english: Path, locale: Path) -> None:
    """Merge the English texts into each catalog below `locale`."""
    options = [
        "--domain",
        DOMAIN,
        "--no-wrap",
        "--ignore-obsolete",
        "--previous",
        "--ignore-pot-creation-date",
    ]
    places = ["--input-file", str(english), "--output-dir", str(locale)]
    CommandLineInterface().run(  # type: ignore[no-untyped-call]
        ["pybabel", "--quiet", "update", *places, *options]
    )


def problems(english: Path, catalog: Path) -> Iterator[str]:
    """Yield a line per text that a catalog lacks, has in doubt, has left over, or fills in wrongly."""
    wanted, found = _read(english), _read(catalog)
    for message in wanted:
        translated = found.get(message.id, message.context) if message.id else None
        if message.id and (translated is None or not _is_whole(translated)):
            yield f"not translated: {_first(message)!r}"
        elif translated is not None and translated.fuzzy:
            yield f"fuzzy, review it: {_first(message)!r}"
    yield from (
        f"no text of this wording: {_first(message)!r}"
        for message in [*found, *found.obsolete.values()]
        if message.id and wanted.get(message.id, message.context) is None
    )
    yield from placeholder_faults(found)


def _read(path: Path) -> Catalog:
    with path.open("rb") as source:
        return read_po(source, abort_invalid=True)


def _is_whole(message: Message) -> bool:
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


def _first(message: Message) -> str:
    return str(message.id[0]) if isinstance(message.id, tuple | list) else str(message.id)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Bring the catalogs up to date with the English texts.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; status 1 if one is not complete"
    )
    parser.add_argument(
        "--locale", type=Path, default=ROOT / "templates" / "locale", help="the folder of the catalogs"
    )
    asked = parser.parse_args(arguments)
    findings = 0
    with tempfile.TemporaryDirectory() as folder:
        english = Path(folder) / f"{DOMAIN}.pot"
        collect(english)
        if not asked.check:
            update(english, asked.locale)
        for catalog in sorted(asked.locale.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
            found = list(problems(english, catalog))
            findings += len(found)
            for line in found:
                sys.stderr.write(f"{catalog.parts[-3]}: {line}\n")
        sys.stdout.write(f"translations: {findings} findings\n")
    return 1 if findings and asked.check else 0


if __name__ == "__main__":
    sys.exit(main())
