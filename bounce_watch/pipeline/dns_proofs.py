"""Ask DNS for a site, within limits of time and number, each thing once in ten minutes."""

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from bounce_watch.config.dns import Dns
from bounce_watch.dns.questions import Ask, Known, answers, is_ours
from bounce_watch.dns.resolver import Names, Resolver
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question
from bounce_watch.store import StoreQueries

FRESH = timedelta(minutes=10)
"""An answer counts so long for the next bounces."""

REST = timedelta(minutes=1)
"""What gave no answer is not asked again for so long."""

SEEN = timedelta(days=90)
MOST_SEEN = 20
MINUTE, HOUR = 60.0, 3600.0
MOST_KEPT = 500

Found = tuple[DnsFinding, ...]
Asked = Mapping[Ask, Found]


class Allowance:
    """At most `seconds` of waiting in any minute, and so many questions in any hour."""

    def __init__(self, seconds: float, per_hour: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._per_hour, self._clock = seconds, per_hour, clock
        self._spent: deque[tuple[float, float, int]] = deque()

    def left(self) -> tuple[float, int]:
        """Return the seconds and questions that may be spent now."""
        now = self._clock()
        while self._spent and self._spent[0][0] < now - HOUR:
            self._spent.popleft()
        seconds = sum(spent for at, spent, _ in self._spent if at >= now - MINUTE)
        return self._seconds - seconds, self._per_hour - sum(count for *_, count in self._spent)

    def spend(self, began: float, questions: int) -> None:
        self._spent.append((self._clock(), self._clock() - began, questions))


class DnsProofs:
    """Asks DNS for a site. `names` stands in for a resolver: the table of the demo."""

    def __init__(self, settings: Dns, accepted: Collection[str], names: Names | None = None) -> None:
        self.settings, self.accepted, self._names = settings, frozenset(accepted), names
        self._allowance = Allowance(settings.seconds, settings.queries_per_hour)
        self._known: dict[Ask, tuple[datetime, Found]] = {}

    def fresh(self, store: StoreQueries, ask: Ask, now: datetime) -> Found:
        """Return the answers to what a bounce asks; those younger than FRESH are not asked again."""
        asked_at, found = self._known.get(ask, (now, ()))
        is_unasked = any(one.verdict is DnsVerdict.UNASKED for one in found)
        is_fresh = bool(found) and now - asked_at < (REST if is_unasked else FRESH)
        return found if is_fresh else self.ask(store, ask, now)

    def ask(self, store: StoreQueries, ask: Ask, now: datetime) -> Found:
        """Ask DNS within what is left of the limits; whatever was not asked is `unasked`."""
        seconds, most = self._allowance.left()
        began = time.monotonic()
        resolver = Resolver(self.settings.servers, seconds, most=most, names=self._names)
        found = tuple(answers(resolver, ask, self._known_of(store, ask, now), now))
        self._allowance.spend(began, resolver.asked)
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[ask] = (now, found)
        return found

    def forget(self, subject: str) -> None:
        """Let the next bounce about a domain or address ask again: its records may have changed."""
        self._known = {ask: kept for ask, kept in self._known.items() if ask.subject != subject}

    def _known_of(self, store: StoreQueries, ask: Ask, now: datetime) -> Known:
        domain, is_spf = ask.subject, Question.SPF in ask.questions
        return Known(
            selectors=self.settings.dkim_selectors,
            blocklists=self.settings.blocklists,
            seen=store.dns.addresses_of(domain, now - SEEN)[:MOST_SEEN] if is_spf else (),
            earlier=store.dns.last_sound_spf(domain) if is_spf else None,
            by_exchange=is_ours(domain, self.accepted),
            must_know=True,
        )
