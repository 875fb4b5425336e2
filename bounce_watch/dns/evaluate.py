"""Evaluate SPF (RFC 7208) with the steps that led to the verdict; only this module uses spftrace.

spftrace 0.3 passes the test suite of RFC 7208, and evaluates a record that is not published yet.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bounce_watch.dns.resolver import Answer, Names, Status

MOST_LOOKUPS, MOST_VOID = 10, 2
"""RFC 7208 section 4.6.4."""

_RCODES = {
    Status.FOUND: "NOERROR",
    Status.NO_DATA: "NOERROR",
    Status.NO_NAME: "NXDOMAIN",
    Status.UNASKED: "SERVFAIL",
}
VERSION = re.compile(r"v=spf1(?= |\Z)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    """A term whose lookup of `name` found nothing; `path` leads to it from the domain's own record."""

    path: tuple[str, ...]
    name: str

    @property
    def term(self) -> str:
        return self.path[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The verdict of RFC 7208 section 2.6 for one address, with what decided it.

    `reason` is the error of a permerror or temperror. `term` is the term of the domain's own record that
    matched, None if none did; `inner` the term of an included record that matched inside it.
    `path` are the terms that led to the last one evaluated, the own record's first.
    `records` holds each record that was read, with its domain, the domain's own first. `loop` names the
    domains of an include or redirect that leads back to itself. `over` is the term over the limit of lookups.
    """

    verdict: str
    reason: str
    term: str | None
    inner: str | None
    path: tuple[str, ...]
    lookups: int
    voids: tuple[Void, ...]
    records: tuple[tuple[str, str], ...]
    loop: tuple[str, ...]
    over: str | None


def evaluate(names: Names, domain: str, address: str, record: str | None = None) -> Evaluation:
    """Evaluate a domain's record, or `record` instead, for an address. Counts go on past the limits."""
    import asyncio

    import spftrace

    class Transport(spftrace.BaseResolver):
        async def _lookup(self, name: str, rtype: str) -> tuple[str, list[str]]:
            answer = names.lookup(name, rtype)
            return _RCODES[answer.status], _values(answer, rtype)

    limits = spftrace.Limits(audit=True, max_queries=None, time_limit=60)
    evaluator = spftrace.Evaluator(Transport(), limits, policy_override=record)
    found = asyncio.run(evaluator.evaluate(address, f"postmaster@{domain}"))
    return _read(found)


def _values(answer: Answer, kind: str) -> list[str]:
    match kind:
        case "MX":
            return [value.partition(" ")[2].rstrip(".") for value in answer.values]
        case "PTR":
            return [value.rstrip(".") for value in answer.values]
        case _:
            return list(answer.values)


def _read(found: Any) -> Evaluation:
    events = found.trace.events
    matches = [event for event in events if event.kind == "mech_match"]
    paths = list(_paths(events))
    own = next((event.data["raw"] for event in matches if event.depth == 0), None)
    inner = next((event.data["raw"] for event in matches if event.depth), None)
    reasons = [event.data["reason"] for event in events if event.kind == "exit"]
    over = [event.data["term"] for event in events if event.kind == "limit_exceeded" if "term" in event.data]
    return Evaluation(
        verdict=found.result,
        reason=reasons[-1] if reasons else "",
        term=own,
        inner=inner if own and own.lstrip("+-~?").lower().startswith("include:") else None,
        path=paths[-1] if paths else (),
        lookups=found.dns_terms_used,
        voids=tuple(
            Void(path=path or (event.data["name"],), name=event.data["name"])
            for path, event in zip(paths, events, strict=True)
            if event.kind == "void_lookup"
        ),
        records=tuple(_records(events)),
        loop=_loop(events),
        over=over[0] if over and found.dns_terms_used > MOST_LOOKUPS else None,
    )


def _paths(events: Any) -> Iterator[tuple[str, ...]]:
    """Yield for each event the terms that led to it."""
    path: tuple[str, ...] = ()
    for event in events:
        if event.kind == "mech_start":
            path = (*path[: event.depth], event.data["raw"])
        elif event.kind == "recurse_in" and event.data["via"] == "redirect":
            path = (*path[: event.depth], f"redirect={event.data['domain']}")
        yield path


def _records(events: Any) -> Iterator[tuple[str, str]]:
    domain, seen = "", set()
    for event in events:
        if event.kind == "check_start":
            domain = event.data["domain"].lower().rstrip(".")
        elif event.kind in ("policy_parsed", "parse_error") and domain not in seen:
            seen.add(domain)
            yield domain, event.data["policy"]


def _loop(events: Any) -> tuple[str, ...]:
    path: list[str] = []
    for event in events:
        if event.kind == "check_start":
            del path[event.depth :]
            path.append(event.data["domain"].lower().rstrip("."))
            if path[-1] in path[:-1]:
                return tuple(path[path.index(path[-1]) :])
    return ()


def syntax_error(term: str) -> str | None:
    """Return why a term breaks the grammar of RFC 7208 section 12, None if it is well-formed."""
    import spftrace

    try:
        spftrace.parse(f"v=spf1 {term}")
    except spftrace.SpfPermError as error:
        return str(error)
    return None
