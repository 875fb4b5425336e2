"""Attributes that are worked out when they are first asked for; the standard one takes a lock each time."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Owner = TypeVar("Owner")
Value = TypeVar("Value")


class lazy(Generic[Owner, Value]):  # noqa: N801 - it is used as `property` is
    """Compute an attribute once and keep it in the object's own dictionary, without a lock."""

    def __init__(self, compute: Callable[[Owner], Value]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, owner: Owner, of: type[Any] | None = None) -> Value:
        value = owner.__dict__[self._name] = self._compute(owner)
        return value
