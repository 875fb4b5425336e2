"""Convert rows to frozen values: each field is read from the attribute of the same name."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from functools import cache
from inspect import isclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Value = TypeVar("Value")


def value_of(kind: type[Value], row: Any, **more: Any) -> Value:
    """Return a row as a value of this class; `more` holds fields that the row lacks or names differently."""
    read = _readers(kind)  # type: ignore[arg-type]
    return kind(**more, **{name: read[name](getattr(row, name)) for name in read if name not in more})


@cache
def _readers(kind: Any) -> Mapping[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in fields(kind)}


def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return the function that converts a column value to the hinted type: an enumeration or a tuple."""
    if isinstance(hint, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is tuple:
        return tuple
    if isclass(hint) and issubclass(hint, StrEnum):
        read = getattr(hint, "read", hint)
        return lambda value: None if value is None else read(value)
    return lambda value: value
