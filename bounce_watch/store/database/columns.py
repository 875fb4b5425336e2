"""Column types that make values from messages safe to store.

SQLite and PostgreSQL both reject lone surrogates, NUL characters and numbers over 64 bits. The types
replace them in rows and in query parameters.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

MAX_TEXT = 4_000
"""Maximum characters stored of one text from a message."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1


def scrub(text: str) -> str:
    """Replace NUL and lone surrogates, which no database stores, by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def fold(address: str) -> str:
    """Return the search form of an address: lower case and scrubbed.

    RFC 5321 section 2.4 allows a case-sensitive local part, but Exchange ignores case.
    """
    return scrub(address).strip().lower()


def _scrub_all(value: object) -> object:
    match value:
        case str():
            return scrub(str(value))[:MAX_TEXT]
        case Mapping():
            return {scrub(str(key)): _scrub_all(item) for key, item in value.items()}
        case Sequence() | set() | frozenset():
            return [_scrub_all(item) for item in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return scrub(str(value))


class Instant(TypeDecorator[datetime]):
    """An aware time as microseconds since 1970 (UTC), which is exact and sorts correctly."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class SafeText(TypeDecorator[str]):
    """Text from a message, scrubbed and cut to MAX_TEXT characters."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        return None if value is None else scrub(str(value)[:MAX_TEXT])


class LongText(TypeDecorator[str]):
    """Our own text, which may quote a message: scrubbed, of any length."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        return None if value is None else scrub(str(value))


class SafeInteger(TypeDecorator[int]):
    """A number from a message, limited to 64 bits."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, _dialect: Dialect) -> int | None:
        return None if value is None else max(_MIN_INTEGER, min(_MAX_INTEGER, value))


class Key(SafeInteger):
    """A row number: INTEGER in SQLite, where only this type counts up automatically, else BIGINT."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class SafeJson(TypeDecorator[object]):
    """A list or mapping as JSON text with every string scrubbed."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, _dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(_scrub_all(value), ensure_ascii=False)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> object:
        return None if value is None else json.loads(value)
