"""Translations: a gettext catalog per language, `locale/<language>/LC_MESSAGES/bounce_watch.po`.

Babel reads a catalog when its language is first needed, so there is nothing to compile and to keep in step.
"""

from collections.abc import Sequence
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import NoReturn

from babel.messages.catalog import PYTHON_FORMAT, Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from bounce_watch.notifications.errors import TemplateFault, UntranslatedText

DOMAIN = "bounce_watch"
ENGLISH = "en"


class Catalogs:
    """The catalogs of several folders; the first folder that translates a text wins."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._read: dict[str, NullTranslations] = {}

    def languages(self) -> set[str]:
        return {language for folder in self._folders for language in catalog_paths(folder)}

    def of(self, language: str) -> NullTranslations:
        """Return the translations into a language; what they lack raises UntranslatedText, except in English.

        Raises TemplateFault for a malformed catalog.
        """
        if language not in self._read:
            self._read[language] = self._chain(language)
        return self._read[language]

    def _chain(self, language: str) -> NullTranslations:
        chain: NullTranslations = NullTranslations() if language == ENGLISH else _Missing()
        for folder in reversed(self._folders):
            path = catalog_paths(folder).get(language)
            if path is not None:
                found = GNUTranslations(BytesIO(_compiled(path, path.stat().st_mtime_ns)))
                found.add_fallback(chain)
                chain = found
        return chain


class _Missing(NullTranslations):
    """The end of a chain: refuses every text, so that no email mixes two languages."""

    def gettext(self, message: str) -> NoReturn:
        raise UntranslatedText(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> NoReturn:  # noqa: ARG002
        raise UntranslatedText(msgid1)

    def pgettext(self, context: str, message: str) -> NoReturn:  # noqa: ARG002
        raise UntranslatedText(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> NoReturn:  # noqa: ARG002
        raise UntranslatedText(msgid1)


def catalog_paths(folder: Path) -> dict[str, Path]:
    """Return the catalogs of a folder by their languages."""
    return {path.parts[-3]: path for path in folder.glob(f"locale/*/LC_MESSAGES/{DOMAIN}.po")}


def read_catalog(path: Path) -> Catalog:
    """Read a catalog. Raises TemplateFault with the file and the line."""
    try:
        with path.open("rb") as source:
            catalog = read_po(source, abort_invalid=True)
    except (PoFileError, ValueError, LookupError, OSError) as error:  # an unknown charset is a LookupError
        raise TemplateFault(f"{_name(path)}: {error}") from error
    for problem in placeholder_faults(catalog):
        raise TemplateFault(f"{_name(path)}, {problem}")
    return catalog


@cache
def _compiled(path: Path, _changed_at: int) -> bytes:
    """Return a catalog in gettext's binary form. Raises TemplateFault."""
    target = BytesIO()
    write_mo(target, read_catalog(path))
    return target.getvalue()


def placeholder_faults(catalog: Catalog) -> list[str]:
    """Return a sentence for each translation that cannot be filled in, or that drops a value."""
    return [
        f"line {message.lineno}: {problem}"
        for message in catalog
        if message.id and (problem := _placeholder_fault(_forms(message.id), _forms(message.string)))
    ]


def _placeholder_fault(english: list[str], translated: list[str]) -> str:
    names = [set(PYTHON_FORMAT.findall(text)) for text in english]
    values = {name: "" for found in names for name, *_ in found}
    needed = {name for name, *_ in set.intersection(*names)}
    for text in filter(None, translated):
        try:
            text % values
        except (KeyError, TypeError, ValueError) as error:
            return f"{text!r} cannot be filled in: {error!r}"
        if missing := needed - {name for name, *_ in PYTHON_FORMAT.findall(text)}:
            return f"{text!r} lacks %({min(missing)})s"
    return ""


def _forms(text: str | Sequence[str] | None) -> list[str]:
    return [text or ""] if isinstance(text, str | None) else list(text)


def _name(path: Path) -> str:
    return Path(*path.parts[-4:]).as_posix()
