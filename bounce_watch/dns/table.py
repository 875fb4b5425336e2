"""A table in place of DNS: what the demo answers, which asks no network."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bounce_watch.dns.resolver import Answer, Status

TTL = 3600


class DnsTable:
    """Answers from phases in TOML: from when, which `names` have which records, which are `missing`.

    Each phase changes names of those before. A name that the table lacks is not answered.
    """

    def __init__(self, text: str, clock: Callable[[], datetime]) -> None:
        self._phases: Sequence[Mapping[str, Any]] = tomllib.loads(text)["phase"]
        self._clock = clock

    def lookup(self, name: str, kind: str) -> Answer:
        now, names = self._clock(), dict[str, Any]()
        for phase in self._phases:
            if phase["from"] <= now:
                names |= dict.fromkeys(phase.get("missing", ())) | phase["names"]
        name = name.lower().rstrip(".")
        if name not in names:
            return Answer(status=Status.UNASKED, why=f"{kind} of {name}: the demo asks no network")
        if names[name] is None:
            return Answer(status=Status.NO_NAME)
        values = tuple(names[name].get(kind, ()))
        return Answer(status=Status.FOUND if values else Status.NO_DATA, values=values, ttl=TTL)
