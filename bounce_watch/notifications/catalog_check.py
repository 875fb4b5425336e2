"""Check a site's own catalogs and the blocks of its templates: what is not used or not translated."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bounce_watch import shipped_files
from bounce_watch.notifications.errors import TemplateFault
from bounce_watch.notifications.rendering.catalogs import catalog_paths, read_catalog
from bounce_watch.notifications.rendering.environment import split_name
from bounce_watch.notifications.rendering.templates import Templates


def unused_blocks(templates: Templates) -> Iterator[str]:
    """Yield a sentence for each block of a site's reply that no reply uses, such as a list of month names."""
    shipped = Templates([shipped_files.templates()])
    for name in templates.names():
        general = split_name(name)[1]
        if not general.startswith("replies/") or not shipped.exists(general):
            continue
        try:
            unused = templates.blocks(name) - shipped.blocks(general)
        except TemplateFault:  # named where it is rendered
            continue
        for block in sorted(unused):
            yield f"{name}: the block {block!r} is not used; dates, lists and counts follow the language"


def catalog_problems(folders: Sequence[Path]) -> Iterator[str]:
    """Yield a sentence for each of a site's catalogs that cannot be read or lacks texts."""
    shipped = catalog_paths(shipped_files.templates())
    needed = {text for path in shipped.values() for text in _translated(path)}
    for folder in folders:
        for language, path in catalog_paths(folder).items():
            try:
                missing = needed - _translated(path) - _translated(shipped.get(language, path))
            except TemplateFault as fault:
                yield str(fault)
                continue
            if missing:
                name = path.relative_to(folder).as_posix()
                yield (
                    f"{name}: {len(missing)} texts are not translated, such as {min(missing)!r}; "
                    "an email with one of them is written in the next language"
                )


def _translated(path: Path) -> set[str]:
    """Return the English texts that a catalog translates; of those with a plural, the first form."""
    return {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in read_catalog(path)
        if message.id and message.string and not message.fuzzy
    }
