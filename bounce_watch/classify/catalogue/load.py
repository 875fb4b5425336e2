"""Load the catalogue from TOML text.

`[[code]]` holds the rows, `[advice.<cause>]` what the rows of one cause share.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from bounce_watch import __version__
from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.catalogue.knowledge import SITE_BONUS, Knowledge, read_knowledge
from bounce_watch.classify.catalogue.read_row import ADVICE_KEYS, read_row, read_word, refuse_unknown
from bounce_watch.classify.catalogue.row import CatalogueError, Row, compile_linear
from bounce_watch.model import Cause

MAX_KEPT = 4
"""Catalogues that are kept: the shipped one, with and without a site's own rows."""

_TABLES = {"advice", "code", "word", "statement", "standing", "provider"}
_SITE_TABLES = _TABLES | {"case"}
Table = Mapping[str, Any]


@lru_cache(MAX_KEPT)
def load_catalogue(text: str, site_text: str | None = None) -> Catalogue:
    """Return the catalogue of `data/codes.toml`; a site's row replaces the one of equal code and variant.

    A row without its own advice takes that of its cause; without `persistence`, that of its code's class.
    The result is kept, because compiling the patterns of all rows takes a third of a second.
    Raises CatalogueError that names the row.
    """
    shipped = _shipped(text)
    rows, knowledge = shipped.rows, shipped.knowledge
    if site_text is not None:
        site = _parse(site_text, "site codes", _SITE_TABLES)
        knowledge = _with_site(shipped, site)
        listed = _rows(site, shipped.advice | _advice_of(site), "site codes")
        own = {_key(row): _of_site(row, knowledge) for row in listed}
        _compile(own.values())
        # A site's new rows are tested before the shipped ones, because its phrases fit its mail better.
        rows = {key: row for key, row in own.items() if key not in rows} | rows | own
    return Catalogue(tuple(rows.values()), knowledge, version_of(text, site_text))


class _Shipped(NamedTuple):
    """What our own files say."""

    tables: Table
    advice: dict[Cause, Table]
    rows: dict[tuple[str | None, str | None], Row]
    knowledge: Knowledge


@lru_cache(1)
def _shipped(text: str) -> _Shipped:
    tables = _parse(text, "codes.toml", _TABLES)
    advice = _advice_of(tables)
    rows = {_key(row): row for row in _rows(tables, advice, "codes.toml")}
    return _Shipped(tables, advice, rows, read_knowledge(tables, {}))


def _with_site(shipped: _Shipped, site: Table) -> Knowledge:
    """Return what the judge knows of words with a site's own; most sites have rows and cases only."""
    if set(site) <= {"code", "case", "advice"}:
        return shipped.knowledge._replace(has_site_part=bool(site))
    return read_knowledge(shipped.tables, site)


def _of_site(row: Row, knowledge: Knowledge) -> Row:
    """Return a site's row with its weight, and the sign of the provider for whom alone it counts."""
    sign = None
    if row.provider:
        signs = {family.name: family.signs for family in knowledge.families}
        sign = compile_linear(signs.get(row.provider, [re.escape(row.provider)]), row.name)
    return replace(row, weight=row.weight + SITE_BONUS, sign=sign)


def version_of(text: str, site_text: str | None) -> str:
    """Return the name of a catalogue: the program's version, and what is in our files and in the site's.

    `0.1.0+3f2a91c0`, with a site's own rows `0.1.0+3f2a91c0.site-77ab12ef`. Equal text has an equal name.
    """
    own = "" if site_text is None else f".site-{_sum(site_text)}"
    return f"{__version__}+{_sum(text)}{own}"


def _sum(text: str) -> str:
    return sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]


def _compile(rows: Iterable[Row]) -> None:
    """Compile a site's patterns, so that errors in them show when the file is loaded."""
    for row in rows:
        try:
            _ = row.pattern.pattern if row.pattern else None
        except re.error as error:
            raise CatalogueError(f"site codes, {row.name}: match does not compile: {error}") from error


def _key(row: Row) -> tuple[str | None, str | None]:
    return row.code, row.variant


def _parse(text: str, where: str, known: set[str]) -> Table:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{where} is not TOML: {error}") from error
    refuse_unknown(tables, known, where)
    return tables


def _advice_of(tables: Table) -> dict[Cause, Table]:
    advice = {}
    for word, table in tables.get("advice", {}).items():
        where = f"advice.{word}"
        refuse_unknown(table, ADVICE_KEYS, where)
        advice[read_word(Cause, word, "cause", where)] = table
    return advice


def _rows(tables: Table, advice: Mapping[Cause, Table], file: str) -> Iterator[Row]:
    seen = set()
    for number, table in enumerate(tables.get("code", []), 1):
        where = f"{file}, row {number} ({table.get('code', 'text')}/{table.get('variant', '-')})"
        row = read_row(table, advice, where)
        if _key(row) in seen:
            raise CatalogueError(f"{where}: the same code and variant stand twice")
        seen.add(_key(row))
        yield row
