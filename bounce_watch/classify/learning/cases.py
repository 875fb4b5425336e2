"""Replies whose causes are known: ours in `data/replies.txt`, the site's own beside its rows.

What was judged right must stay right when words are taught.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.catalogue.row import CatalogueError
from bounce_watch.classify.judge import Judgement, judge_reply
from bounce_watch.model import Cause, Owner, Side

_OURS = "ours: "
_KEYS = {"name", "reply", "cause", "owner", "side", "remote_mta"}


class Case(NamedTuple):
    """A reply and the causes that are right for it. `owner` None: anyone is right."""

    name: str
    reply: str
    causes: frozenset[Cause]
    side: Side | None = Side.THEIRS
    remote_mta: str | None = None
    owner: Owner | None = None

    def judged(self, catalogue: Catalogue) -> Judgement:
        return judge_reply(self.reply, catalogue, self.side, self.remote_mta).judgement

    def is_right(self, catalogue: Catalogue) -> bool:
        found = self.judged(catalogue)
        return found.cause in self.causes and self.owner in (None, found.owner)


@lru_cache(1)
def read_goldens(text: str) -> tuple[Case, ...]:
    """Read lines such as `550 5.1.1 user unknown | recipient_unknown`; `ours: ` begins Exchange Online's own.

    The name of a case is its number of line and its reply.
    """
    return tuple(_golden(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip())


def _golden(number: int, line: str) -> Case:
    reply, _, causes = line.rpartition(" | ")
    side = Side.OURS if reply.startswith(_OURS) else Side.THEIRS
    reply = reply.removeprefix(_OURS)
    return Case(f"reply {number}: {reply[:60]}", reply, frozenset(map(Cause, causes.split(","))), side)


def read_cases(site_text: str) -> Iterator[Case]:
    """Yield the tables `[[case]]` of a site's file. Raises CatalogueError that names the case."""
    for number, table in enumerate(tomllib.loads(site_text).get("case", []), 1):
        yield _case(table, f"site codes, case {number}")


def _case(table: Mapping[str, Any], where: str) -> Case:
    if set(table) - _KEYS or not isinstance(table.get("reply"), str):
        raise CatalogueError(f"{where}: it needs reply and cause, and may have {', '.join(sorted(_KEYS))}")
    try:
        return Case(
            str(table.get("name") or where),
            table["reply"],
            frozenset({Cause(table["cause"])}),
            Side(table["side"]) if "side" in table else None,
            table.get("remote_mta"),
            Owner(table["owner"]) if "owner" in table else None,
        )
    except (ValueError, KeyError) as error:
        raise CatalogueError(f"{where}: {error}") from error


def broken(cases: Iterable[Case], before: Catalogue, after: Catalogue) -> Iterator[Case]:
    """Yield the cases that `before` judges right and `after` does not."""
    return (case for case in cases if not case.is_right(after) and _was_right(case, before))


@lru_cache(2048)
def _was_right(case: Case, catalogue: Catalogue) -> bool:
    return case.is_right(catalogue)
