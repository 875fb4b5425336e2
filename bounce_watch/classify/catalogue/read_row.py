"""Read one row of the catalogue from its table in a TOML file."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from bounce_watch.classify.catalogue.knowledge import Weight
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
ADVICE_KEYS = {"owner", "owner_ours", "sender_steps", "admin_steps", "playbook"}
_ROW_KEYS = ADVICE_KEYS | {
    "code", "variant", "namespace", "side", "match", "default", "generic", "title", "meaning", "cause",
    "persistence", "source", "checked", "confidence", "weight", "bare",
    "provider",
}  # fmt: skip
_NEEDED = ("title", "meaning", "cause", "source", "checked", "confidence")
OWN_SOURCE = "this site's own file"
"""The source of a row that a site taught itself."""
_PLAYBOOK = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SPAN = re.compile(
    r"(?P<class>[245x])\.(?P<subject>\d{1,3}|x)\.(?:(?P<low>\d{1,3})(?:-(?P<high>\d{1,3}))?|x)"
)
_PROVIDER = re.compile(r"[a-z0-9][a-z0-9.-]{1,252}", re.IGNORECASE)
_REPLY_CODE = re.compile(r"[245]\d\d")
_CLASSES = {4: Persistence.TEMPORARY, 5: Persistence.PERMANENT}

Word = TypeVar("Word", bound=StrEnum)
Table = Mapping[str, Any]


def read_row(table: Table, advice: Mapping[Cause, Table], where: str) -> Row:
    """Return the row that a table describes. Raises CatalogueError that names it."""
    refuse_unknown(table, _ROW_KEYS, where)
    if where.startswith("site codes"):
        table = {"source": OWN_SOURCE, **table}
    missing = [key for key in _NEEDED if not table.get(key)]
    if missing:
        raise CatalogueError(f"{where}: {', '.join(missing)} missing")
    cause = read_word(Cause, table["cause"], "cause", where)
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
        namespace=read_word(Namespace, full.get("namespace", "common"), "namespace", where),
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
        owner=read_word(Owner, full.get("owner"), "owner", where),
        owner_ours=read_word(Owner, full["owner_ours"], "owner_ours", where)
        if "owner_ours" in full
        else None,
        persistence=_persistence(full.get("persistence"), span, where),
        sender_steps=_strings(full, "sender_steps", where),
        admin_steps=_strings(full, "admin_steps", where),
        has_own_admin_steps="admin_steps" in table,
        playbook=_playbook(full.get("playbook"), where),
        provider=_provider(full.get("provider"), where),
        sign=None,
        source=_source(full["source"], where),
        checked=_day(full["checked"], where),
        confidence=read_word(Confidence, full["confidence"], "confidence", where),
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


def refuse_unknown(table: Table, known: Iterable[str], where: str) -> None:
    unknown = set(table) - set(known)
    if unknown:
        raise CatalogueError(f"{where}: unknown key {', '.join(sorted(unknown))}")


def read_word(words: type[Word], word: Any, what: str, where: str) -> Word:
    try:
        return words(word)
    except ValueError as error:
        raise CatalogueError(f"{where}: {what} {word!r} is not one of {', '.join(words)}") from error


def _side(table: Table, cause: Cause, where: str) -> Side | None:
    """Return the side that may say this; what only Exchange Online decides counts from ours alone."""
    word = table.get("side", "any")
    side = None if word == "any" else read_word(Side, word, "side", where)
    if cause not in EXCHANGE_ONLINE_DECIDES:
        return side
    if side is Side.THEIRS:
        raise CatalogueError(f'{where}: only Exchange Online decides about {cause}, side cannot be "theirs"')
    return Side.OURS


def _persistence(word: str | None, span: CodeSpan | None, where: str) -> Persistence:
    if word is not None:
        return read_word(Persistence, word, "persistence", where)
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
    if source != OWN_SOURCE and not source.startswith("https://"):
        raise CatalogueError(f"{where}: source must be an https address")
    return source


def _provider(name: Any, where: str) -> str | None:
    if name is not None and (not isinstance(name, str) or not _PROVIDER.fullmatch(name)):
        raise CatalogueError(f"{where}: provider {name!r} is neither a provider nor the name of a host")
    return name


def _day(day: Any, where: str) -> date:
    if type(day) is not date:
        raise CatalogueError(f"{where}: checked must be a day such as 2026-11-24, without quotes")
    return day
