"""Read the tables beside the rows: words of concepts, statements, standing phrases, families of codes."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum
from typing import Any, NamedTuple

from bounce_watch.classify.catalogue.row import CatalogueError, Confidence, compile_linear
from bounce_watch.classify.words.families import Family, FamilyCode
from bounce_watch.classify.words.standing import StandingPhrases
from bounce_watch.classify.words.statements import ANYWHERE, Statement, Statements
from bounce_watch.classify.words.vocabulary import Vocabulary
from bounce_watch.model import Cause

Table = Mapping[str, Any]
SITE_BONUS = 1.0
"""What a site's own rows, statements and families weigh more than ours."""
_STATEMENT_KEYS = {"cause", "all", "no", "within", "ordered", "weight"}
_FAMILY_KEYS = {"signs", "codes", "statuses", "weight", "source", "checked", "confidence"}
_CONFIDENCE = (Confidence.DOCUMENTED, Confidence.OBSERVED)
_PLAIN_WORD = re.compile(r"[^\W_][\w *'-]{0,60}")


class Weight(Enum):
    """How much words say, in the words of the data files."""

    HINT = 2.0
    WIDE = 3.2
    PLAIN = 4.4
    STRONG = 5.4
    SURE = 6.5

    @classmethod
    def read(cls, word: str, where: str) -> float:
        try:
            return cls[word.upper()].value
        except (KeyError, AttributeError):
            known = ", ".join(one.name.lower() for one in cls)
            raise CatalogueError(f"{where}: weight {word!r} is not one of {known}") from None


class Knowledge(NamedTuple):
    """What the judge knows of words, and whether a site added to it."""

    vocabulary: Vocabulary
    statements: Statements
    standing: StandingPhrases
    families: tuple[Family, ...]
    has_site_part: bool


def read_knowledge(shipped: Table, site: Table) -> Knowledge:
    """Return the knowledge of the shipped tables and the site's own. Raises CatalogueError."""
    vocabulary = Vocabulary(_concepts(shipped, site))
    said = (*_statements(shipped, vocabulary, 0.0), *_statements(site, vocabulary, SITE_BONUS))
    families = {one.name: one for one in (*_families(shipped, 0.0), *_families(site, SITE_BONUS))}
    phrases = {**shipped.get("standing", {}), **site.get("standing", {})}
    return Knowledge(
        vocabulary, Statements(said), StandingPhrases(phrases), tuple(families.values()), bool(site)
    )


def _concepts(*files: Table) -> dict[str, list[str]]:
    concepts: dict[str, list[str]] = {}
    for tables in files:
        for name, languages in tables.get("word", {}).items():
            for language, words in languages.items():
                where = f"word.{name}.{language}"
                concepts.setdefault(name, []).extend(_word(word, where) for word in words)
    return concepts


def _word(word: Any, where: str) -> str:
    if not isinstance(word, str) or not _PLAIN_WORD.fullmatch(word):
        raise CatalogueError(f"{where}: {word!r} is no word or phrase such as 'mailbox*' or 'not found'")
    return word


def _statements(tables: Table, vocabulary: Vocabulary, bonus: float) -> Iterator[Statement]:
    for number, table in enumerate(tables.get("statement", []), 1):
        where = f"statement {number} ({table.get('cause')})"
        _refuse_unknown(table, _STATEMENT_KEYS, where)
        yield Statement(
            cause=_cause(table.get("cause"), where),
            groups=tuple(_group(group, vocabulary, where) for group in table.get("all", ())),
            forbidden=_group("|".join(table["no"]), vocabulary, where) if table.get("no") else 0,
            within=table.get("within", ANYWHERE),
            ordered=table.get("ordered", False),
            weight=Weight.read(table.get("weight", "plain"), where) + bonus,
        )


def _group(names: str, vocabulary: Vocabulary, where: str) -> int:
    bits = 0
    for name in names.split("|"):
        if name not in vocabulary.bits:
            raise CatalogueError(f"{where}: {name!r} is no concept of the words")
        bits |= vocabulary.bits[name]
    return bits


def _families(tables: Table, bonus: float) -> Iterator[Family]:
    for name, table in tables.get("provider", {}).items():
        where = f"provider.{name}"
        _refuse_unknown(table, _FAMILY_KEYS, where)
        signs = tuple(table.get("signs", ()))
        if (
            compile_linear(signs, where) is None
            or not str(table.get("source", "")).startswith("https://")
            or not _is_day(table)
        ):
            raise CatalogueError(f"{where}: signs, an https source and the day it was checked are needed")
        if table.get("confidence") not in _CONFIDENCE:
            raise CatalogueError(f"{where}: confidence must be one of {', '.join(_CONFIDENCE)}")
        yield Family(
            name=name,
            signs=signs,
            codes=tuple(_codes(table.get("codes", {}), where)),
            statuses=tuple((code, _cause(word, where)) for code, word in table.get("statuses", {}).items()),
            weight=Weight.read(table.get("weight", "sure"), where) + bonus,
            source=table["source"],
            checked=table["checked"],
        )


def _is_day(table: Table) -> bool:
    return type(table.get("checked")) is date


def _codes(table: Table, where: str) -> Iterator[FamilyCode]:
    for word, patterns in table.items():
        compile_linear(patterns, where)
        yield FamilyCode(_cause(word, where), tuple(patterns))


def _cause(word: Any, where: str) -> Cause:
    try:
        return Cause(word)
    except ValueError:
        raise CatalogueError(f"{where}: {word!r} is no cause") from None


def _refuse_unknown(table: Table, known: set[str], where: str) -> None:
    if unknown := set(table) - known:
        raise CatalogueError(f"{where}: unknown key {', '.join(sorted(unknown))}")
