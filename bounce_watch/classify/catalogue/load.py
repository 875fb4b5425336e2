"""Load the catalogue from TOML text.

`[[code]]` holds the rows, `[advice.<cause>]` what the rows of one cause share.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeVar

from bounce_watch import __version__
from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.catalogue.knowledge import SITE_BONUS, Weight, read_knowledge
from bounce_watch.classify.catalogue.row import (
    CatalogueError,
    CodeSpan,
    Confidence,
    Namespace,
    Row,
    compile_linear,
)
from bounce_watch.model import EXCHANGE_ONLINE_DECIDES, Cause, Owner, Persistence, Side

OWN_TOKEN = 7.5
"""The weight of words that only the vendor of a code writes with it (`RESOLVER.ADR.RecipNotFound`)."""
MAX_KEPT = 4
"""Catalogues that are kept: the shipped one, with and without a site's own rows."""

_ADVICE_KEYS = {"owner", "owner_ours", "sender_steps", "admin_steps", "playbook"}
_ROW_KEYS = _ADVICE_KEYS | {
    "code", "variant", "namespace", "side", "match", "default", "generic", "title", "meaning", "cause",
    "persistence", "source", "checked", "confidence", "weight", "bare",
}  # fmt: skip
_TABLES = {"advice", "code", "word", "statement", "standing", "provider"}
_NEEDED = ("title", "meaning", "cause", "source", "checked", "confidence")
_PLAYBOOK = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SPAN = re.compile(
    r"(?P<class>[245x])\.(?P<subject>\d{1,3}|x)\.(?:(?P<low>\d{1,3})(?:-(?P<high>\d{1,3}))?|x)"
)
_REPLY_CODE = re.compile(r"[245]\d\d")
_CLASSES = {4: Persistence.TEMPORARY, 5: Persistence.PERMANENT}

Word = TypeVar("Word", bound=StrEnum)
Table = Mapping[str, Any]


@lru_cache(MAX_KEPT)
def load_catalogue(text: str, site_text: str | None = None) -> Catalogue:
    """Return the catalogue of `data/codes.toml`; a site's row replaces the one of equal code and variant.

    A row without its own advice takes that of its cause; without `persistence`, that of its code's class.
    The result is kept, because compiling the patterns of all rows takes a third of a second.
    Raises CatalogueError that names the row.
    """
    shipped = _parse(text, "codes.toml")
    site = _parse(site_text, "site codes") if site_text is not None else {}
    advice = _advice_of(shipped)
    rows = {_key(row): row for row in _rows(shipped, advice, "codes.toml")}
    if site_text is not None:
        listed = _rows(site, advice | _advice_of(site), "site codes")
        own = {_key(row): replace(row, weight=row.weight + SITE_BONUS) for row in listed}
        _compile(own.values())
        # A site's new rows are tested before the shipped ones, because its phrases fit its mail better.
        rows = {key: row for key, row in own.items() if key not in rows} | rows | own
    return Catalogue(tuple(rows.values()), read_knowledge(shipped, site), version_of(text, site_text))


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


def _parse(text: str, where: str) -> Table:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{where} is not TOML: {error}") from error
    _refuse_unknown(tables, _TABLES, where)
    return tables


def _advice_of(tables: Table) -> dict[Cause, Table]:
    advice = {}
    for word, table in tables.get("advice", {}).items():
        where = f"advice.{word}"
        _refuse_unknown(table, _ADVICE_KEYS, where)
        advice[_word(Cause, word, "cause", where)] = table
    return advice


def _rows(tables: Table, advice: Mapping[Cause, Table], file: str) -> Iterator[Row]:
    seen = set()
    for number, table in enumerate(tables.get("code", []), 1):
        where = f"{file}, row {number} ({table.get('code', 'text')}/{table.get('variant', '-')})"
        row = _row(table, advice, where)
        if _key(row) in seen:
            raise CatalogueError(f"{where}: the same code and variant stand twice")
        seen.add(_key(row))
        yield row


def _row(table: Table, advice: Mapping[Cause, Table], where: str) -> Row:
    _refuse_unknown(table, _ROW_KEYS, where)
    missing = [key for key in _NEEDED if not table.get(key)]
    if missing:
        raise CatalogueError(f"{where}: {', '.join(missing)} missing")
    cause = _word(Cause, table["cause"], "cause", where)
    full = {**_shared(advice.get(cause, {}), table), **table}
    code, span = full.get("code"), _span(full.get("code"), where)
    patterns = _strings(full, "match", where)
    if code is None and not (patterns and full.get("variant")):
        raise CatalogueError(f"{where}: a row without a code needs match and variant")
    if not full.get("sender_steps") or not full.get("admin_steps"):
        raise CatalogueError(
            f"{where}: neither the row nor advice.{cause} gives sender_steps and admin_steps"
        )
    return Row(
        code=code,
        variant=full.get("variant"),
        span=span,
        namespace=_word(Namespace, full.get("namespace", "common"), "namespace", where),
        side=_side(full, cause, where),
        match=patterns,
        pattern=compile_linear(patterns, where),
        is_default=bool(full.get("default", not patterns)),
        is_generic=bool(full.get("generic", False)),
        is_bare=bool(full.get("bare", False)),
        weight=_weight(full, span, where),
        title=full["title"],
        meaning=full["meaning"],
        cause=cause,
        owner=_word(Owner, full.get("owner"), "owner", where),
        owner_ours=_word(Owner, full["owner_ours"], "owner_ours", where) if "owner_ours" in full else None,
        persistence=_persistence(full.get("persistence"), span, where),
        sender_steps=_strings(full, "sender_steps", where),
        admin_steps=_strings(full, "admin_steps", where),
        has_own_admin_steps="admin_steps" in table,
        playbook=_playbook(full.get("playbook"), where),
        source=_source(full["source"], where),
        checked=_day(full["checked"], where),
        confidence=_word(Confidence, full["confidence"], "confidence", where),
    )


def _shared(advice: Table, row: Table) -> Table:
    """Return the cause's advice for a row; a row with its own owner keeps that owner on both sides."""
    return {key: value for key, value in advice.items() if key != "owner_ours" or "owner" not in row}


def _weight(row: Table, span: CodeSpan | None, where: str) -> float:
    """Return what the words of a row weigh: those that only a code's vendor writes with it weigh most."""
    if "weight" in row:
        return Weight.read(row["weight"], where)
    is_token = span is not None and row.get("namespace") == Namespace.MICROSOFT
    return OWN_TOKEN if is_token else Weight.PLAIN.value


def _strings(table: Table, key: str, where: str) -> tuple[str, ...]:
    strings = table.get(key, [])
    if not isinstance(strings, list) or not all(isinstance(string, str) and string for string in strings):
        raise CatalogueError(f"{where}: {key} must be a list of texts")
    return tuple(strings)


def _refuse_unknown(table: Table, known: Iterable[str], where: str) -> None:
    unknown = set(table) - set(known)
    if unknown:
        raise CatalogueError(f"{where}: unknown key {', '.join(sorted(unknown))}")


def _word(words: type[Word], word: Any, what: str, where: str) -> Word:
    try:
        return words(word)
    except ValueError as error:
        raise CatalogueError(f"{where}: {what} {word!r} is not one of {', '.join(words)}") from error


def _side(table: Table, cause: Cause, where: str) -> Side | None:
    """Return the side that may say this; what only Exchange Online decides counts from ours alone."""
    word = table.get("side", "any")
    side = None if word == "any" else _word(Side, word, "side", where)
    if cause not in EXCHANGE_ONLINE_DECIDES:
        return side
    if side is Side.THEIRS:
        raise CatalogueError(f'{where}: only Exchange Online decides about {cause}, side cannot be "theirs"')
    return Side.OURS


def _persistence(word: str | None, span: CodeSpan | None, where: str) -> Persistence:
    if word is not None:
        return _word(Persistence, word, "persistence", where)
    status_class = span.status_class if span else None
    return _CLASSES.get(status_class or 0, Persistence.UNKNOWN)


def _span(code: str | None, where: str) -> CodeSpan | None:
    """Read `5.1.8`, `5.7.606-649`, `x.1.10`, `4.4.x` or `5.x.x`; None for a reply code or no code."""
    if code is None or _REPLY_CODE.fullmatch(code):
        return None
    found = _SPAN.fullmatch(code)
    if found is None:
        raise CatalogueError(f"{where}: {code!r} is no status, range, class or reply code")
    status_class, subject, low, high = (_number(found[name]) for name in ("class", "subject", "low", "high"))
    if high is not None and (low is None or high <= low):
        raise CatalogueError(f"{where}: the range {code} ends before it begins")
    return CodeSpan(status_class=status_class, subject=subject, low=low, high=low if high is None else high)


def _number(text: str | None) -> int | None:
    return None if text in (None, "x") else int(text or 0)


def _playbook(name: str | None, where: str) -> str | None:
    if name is not None and not _PLAYBOOK.fullmatch(name):
        raise CatalogueError(f"{where}: playbook {name!r} is no name such as account_takeover")
    return name


def _source(source: str, where: str) -> str:
    if not source.startswith("https://"):
        raise CatalogueError(f"{where}: source must be an https address")
    return source


def _day(day: Any, where: str) -> date:
    if type(day) is not date:
        raise CatalogueError(f"{where}: checked must be a day such as 2026-11-24, without quotes")
    return day
