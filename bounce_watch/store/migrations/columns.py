"""The columns of a new table in few words, as the steps write them.

`name:type`, then `?` if it may be NULL, `!` for the primary key, `>table.column` for a reference.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

_TYPES: dict[str, Any] = {
    "key": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    "big": sa.BigInteger(),
    "instant": sa.BigInteger(),
    "int": sa.Integer(),
    "text": sa.Text(),
    "flag": sa.Boolean(),
    "bytes": sa.LargeBinary(),
    "date": sa.Date(),
}


def columns(words: str) -> Iterator[sa.Column[Any]]:
    """Yield the columns in order."""
    for word in words.split():
        name, _, about = word.partition(":")
        kind, _, target = about.partition(">")
        references = [sa.ForeignKey(target)] if target else []
        is_key = kind.endswith("!")
        yield sa.Column(
            name, _TYPES[kind.rstrip("?!")], *references, primary_key=is_key, nullable=kind.endswith("?")
        )
