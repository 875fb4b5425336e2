"""Jinja2's sandbox with a limit on work: a site's template must not hang the service or fill its memory."""

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from itertools import chain
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

MAX_STEPS = 300_000
"""Loop rounds, calls and filters of one rendering; the largest page of ours takes some thousands."""
MAX_NUMBER = 10_000
"""The largest number by which a text is repeated or filled up, such as the width of `center`."""
_FILL_UP = frozenset(("batch", "center", "indent", "slice"))


class EndlessTemplate(SecurityError):
    """A rendering takes more steps than any text needs."""


class LimitedEnvironment(SandboxedEnvironment):
    """A sandbox that counts the steps of each rendering and refuses huge numbers."""

    intercepted_binops = frozenset(("*", "**"))

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._count = threading.local()
        self.filters = {name: self._limited(name, function) for name, function in self.filters.items()}
        self.filters["rounds"] = self._rounds

    def begin(self) -> None:
        """Start to count for a new rendering."""
        self._count.left = MAX_STEPS

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            _refuse_huge((left, right))
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **values: Any) -> Any:  # noqa: N805
        __self._step()
        if isinstance(getattr(__obj, "__self__", None), str):
            _refuse_huge(chain(args, values.values()))
        return super().call(__context, __obj, *args, **values)

    def _generate(self, source: nodes.Template, *args: Any, **options: Any) -> str:
        """Compile a template in which every loop counts its rounds."""
        for loop in source.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "rounds", [], [], None, None, lineno=loop.iter.lineno)
        return super()._generate(source, *args, **options)

    def _rounds(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self._step()
            yield value

    def _limited(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def limited(*args: Any, **values: Any) -> Any:
            self._step()
            if name in _FILL_UP:
                _refuse_huge(chain(args[1:], values.values()))
            return function(*args, **values)

        return limited

    def _step(self) -> None:
        left = self._count.left = getattr(self._count, "left", MAX_STEPS) - 1
        if left < 0:
            raise EndlessTemplate(f"more than {MAX_STEPS:,} steps: does a loop end?")


def _refuse_huge(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, int) and abs(value) > MAX_NUMBER:
            raise SecurityError(f"a number is too large here, at most {MAX_NUMBER:,}")
