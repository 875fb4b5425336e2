"""Ask DNS in bounded time and number; only this module uses dnspython.

What a zone does is a value: it never raises, and every answer is bounded. Hostile zones answer slowly, with
10 KB, with loops, or never.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

MOST_QUESTIONS = 75
"""Maximum questions of one evaluation."""

MAX_VALUES, MAX_LENGTH = 100, 16_000
_ONE_TRY, _ONE_QUESTION = 1.5, 3.0
"""Seconds for one server, and for one question: a name that is not answered must leave time for others."""


class Status(StrEnum):
    """`no_data`: the name exists without such a record. `unasked`: no usable answer came."""

    FOUND = "found"
    NO_DATA = "no_data"
    NO_NAME = "no_name"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`values` are in presentation form, strings of a TXT record joined. `alias` is the end of a CNAME chain.

    `why` says why there is no answer. `secure`: the resolver vouches for it by DNSSEC. `ttl` is in seconds.
    """

    status: Status
    values: tuple[str, ...] = ()
    alias: str | None = None
    ttl: int | None = None
    secure: bool = False
    why: str = ""


class Names(Protocol):
    """Anything that can be asked: a resolver, or the table of the demo."""

    def lookup(self, name: str, kind: str) -> Answer:
        """Return the answer to one question; `kind` is a record type such as TXT."""


class Resolver:
    """Asks the named servers (`host` or `host:port`; none: those of this machine) within `seconds` in all.

    `names` are asked in place of servers. Each name is asked once. `begin` starts an evaluation, which may
    ask 75 questions; `asked` counts all, of which there are at most `most`.
    """

    def __init__(
        self,
        servers: Sequence[str] = (),
        seconds: float = 5,
        *,
        most: int = 10_000,
        names: Names | None = None,
    ) -> None:
        self.asked = 0
        self._most = most
        self._left = MOST_QUESTIONS
        self._until = time.monotonic() + seconds
        self._known: dict[tuple[str, str], Answer] = {}
        self._names = names
        self._make = partial(_dnspython, tuple(servers))
        self._resolver: Any = None

    def begin(self) -> None:
        self._left = MOST_QUESTIONS

    def lookup(self, name: str, kind: str) -> Answer:
        key = (name.lower().rstrip("."), kind)
        if key not in self._known:
            self._known[key] = self._ask(*key)
        return self._known[key]

    def _ask(self, name: str, kind: str) -> Answer:
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            return _unasked(f"{kind} of {name}: no time was left")
        if self._left <= 0 or self.asked >= self._most:
            return _unasked(f"{kind} of {name}: more than {min(MOST_QUESTIONS, self._most)} questions")
        self._left, self.asked = self._left - 1, self.asked + 1
        if self._names is not None:
            return self._names.lookup(name, kind)
        try:
            self._resolver = self._resolver or self._make()
            return _answer(self._resolver, name, kind, min(seconds, _ONE_QUESTION))
        except Exception as error:  # noqa: BLE001 - a library reads hostile bytes; no alert may depend on it
            return _unasked(f"{kind} of {name}: {type(error).__name__}")


def _unasked(why: str) -> Answer:
    return Answer(status=Status.UNASKED, why=why)


def _dnspython(servers: Sequence[str]) -> Any:
    import dns.flags
    import dns.nameserver
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=not servers)
    if servers:
        places = [server.rpartition(":") if _has_port(server) else (server, "", "53") for server in servers]
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver(host.strip("[]"), int(port)) for host, _, port in places
        ]
    resolver.timeout = _ONE_TRY
    resolver.use_edns(0, 0, 1232)
    resolver.flags = dns.flags.RD | dns.flags.AD
    return resolver


def _has_port(server: str) -> bool:
    return server.count(":") == 1 or "]:" in server


def _answer(resolver: Any, name: str, kind: str, seconds: float) -> Answer:
    import dns.exception
    import dns.flags
    import dns.name
    import dns.resolver

    try:
        found = resolver.resolve(f"{name}.", kind, search=False, raise_on_no_answer=False, lifetime=seconds)
    except dns.resolver.NXDOMAIN as error:
        return Answer(status=Status.NO_NAME, alias=_alias(name, error.canonical_name))
    except (dns.name.NameTooLong, dns.name.LabelTooLong, dns.name.EmptyLabel):
        return Answer(status=Status.NO_NAME, why=f"{name} cannot be a name in DNS")
    except (dns.exception.DNSException, OSError) as error:
        return _unasked(f"{kind} of {name}: {_why(error)}")
    alias = _alias(name, found.canonical_name)
    if found.rrset is None:
        return Answer(status=Status.NO_DATA, alias=alias)
    return Answer(
        status=Status.FOUND,
        values=tuple(sorted(_text(one, kind) for one in list(found.rrset)[:MAX_VALUES])),
        alias=alias,
        ttl=int(found.rrset.ttl),
        secure=bool(found.response.flags & dns.flags.AD),
    )


def _why(error: Exception) -> str:
    import dns.exception
    import dns.message
    import dns.resolver

    if isinstance(error, dns.message.ChainTooLong):
        return "its aliases lead in a circle"
    if isinstance(error, dns.exception.Timeout):
        return "no answer in time"
    return (
        "the name servers failed" if isinstance(error, dns.resolver.NoNameservers) else type(error).__name__
    )


def _alias(name: str, canonical: Any) -> str | None:
    target = str(canonical).lower().rstrip(".")
    return target if target != name else None


def _text(record: Any, kind: str) -> str:
    """Return a record as text; strings of a TXT record are joined without a space (RFC 7208 section 3.3)."""
    if kind == "TXT":
        return b"".join(record.strings).decode("utf-8", "replace")[:MAX_LENGTH]
    if kind == "MX":
        return f"{record.preference} {record.exchange.to_text().lower()}"
    return str(record.to_text())[:MAX_LENGTH].lower()
