"""How quickly a store of very many bounces answers, and what it costs to add to one.

Each figure is the best of several runs, the file being in the page cache. BOUNCE_WATCH_BOUNCES sets how
many bounces there are (a million unless told). The ingest rate stands beside that of an empty store in the
same run. With `--postgres` the store is then copied to a throw-away PostgreSQL, and asked the same there.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from big_store import fill_store  # noqa: E402

from bounce_watch import shipped_files  # noqa: E402
from bounce_watch.model import Cause, Evidence, Owner  # noqa: E402
from bounce_watch.notifications.rendering.templates import Templates  # noqa: E402
from bounce_watch.notifications.report_page.page import report_page  # noqa: E402
from bounce_watch.store import By, HistoryFilter, Store  # noqa: E402
from bounce_watch.store.copy import copy_store  # noqa: E402
from bounce_watch.store.database.postgres import server_at  # noqa: E402
from tests.servers.postgres import Postgres  # noqa: E402
from tests.store.values import BOUNCE, REPORT, body, place  # noqa: E402

NUMBER = int(os.environ.get("BOUNCE_WATCH_BOUNCES", "1000000"))
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WEEK = NOW - timedelta(days=7)
MONTH = NOW - timedelta(days=30)
ROUNDS = 3
BUSIEST = "person0@contoso.example"
Question = Callable[[Store], object]


def history(**chosen: object) -> Question:
    return lambda store: list(store.history.find(HistoryFilter(**chosen), limit=50))  # type: ignore[arg-type]


def top(by: By, **chosen: object) -> Question:
    return lambda store: store.history.top(by, HistoryFilter(**chosen), 10)  # type: ignore[arg-type]


def page(since: datetime) -> Question:
    templates = Templates([shipped_files.templates()])
    return lambda store: report_page(
        templates, store.overviews.overview("Contoso", "Europe/Berlin", since, NOW), NOW
    )


# fmt: off
QUESTIONS: list[tuple[str, float, Question]] = [
    ("history", 0.5, history()),
    ("history --since 7d --cause mailbox_full", 0.5, history(since=WEEK, cause=Cause.MAILBOX_FULL)),
    ("history --sender person0@…", 0.5, history(sender=BUSIEST)),
    ("history --domain domain0.example", 0.5, history(domain="domain0.example")),
    ("history --code 5.1.8", 0.5, history(code="5.1.8")),
    ("history --subject 'Subject 7'", 0.5, history(subject="Subject 7")),
    ("history --sender person0@… --owner sender", 0.5, history(sender=BUSIEST, owner=Owner.SENDER)),
    ("top cause", 0.5, top(By.CAUSE)),
    ("top sender", 0.5, top(By.SENDER)),
    ("top domain", 0.5, top(By.DOMAIN)),
    ("top code", 0.5, top(By.CODE)),
    ("top sender --since 7d", 0.5, top(By.SENDER, since=WEEK)),
    ("top recipient --since 7d", 0.5, top(By.RECIPIENT, since=WEEK)),
    ("top cause --sender person0@…", 0.5, top(By.CAUSE, sender=BUSIEST)),
    ("stats", 0.5, lambda store: store.summary.stats()),
    ("trend --since 30d", 0.5, lambda store: store.history.trend(MONTH, NOW)),
    ("person person0@… (the one with most)", 0.5, lambda store: store.people.person(BUSIEST)),
    ("domain domain0.example", 0.5, lambda store: store.people.domain("domain0.example")),
    ("completion of senders", 0.5, lambda store: store.history.labels("sender", "person1")),  # type: ignore[arg-type]
    ("digest of a day", 3, lambda store: store.digests.count(NOW.date(), "Europe/Berlin", NOW)),
    ("report --since 30d", 10, page(MONTH)),
    ("report of two years", 10, page(NOW - timedelta(days=730))),
]
# fmt: on


def best_of(ask: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the shortest time in seconds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - start)
    return min(taken)


def ingest_rate(store: Store, first: int, number: int = 2000) -> float:
    """Return reports a second: each in the commit of its own batch of ten, as the service does it."""
    start = time.perf_counter()
    names = iter(range(first, first + number))
    while batch := list(islice(names, 10)):
        with store.transaction() as tx:
            for name in batch:
                report = replace(
                    REPORT, fingerprint=f"new-{name}", message_id=f"<new-{name}@contoso.example>"
                )
                message = tx.messages.add_message(**place(f"new-{name}"), **body(NOW))
                stored = tx.messages.add_report(
                    message, report, evidence=Evidence.INTERNAL, tests=(), now=NOW
                )
                sender = f"person{name * 7919 % 20_000}@contoso.example"
                bounce = replace(BOUNCE, sender=sender, recipient=f"r{name}@domain{name % 30_000}.example")
                tx.messages.add_bounces(stored, (bounce,), NOW)
    return number / (time.perf_counter() - start)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.db"
        start = time.perf_counter()
        fill_store(path, NUMBER, NOW)
        size = path.stat().st_size / 1e6
        print(f"store: {NUMBER:,} bounces, {size:,.0f} MB, made in {time.perf_counter() - start:.0f} s")
        with Store.open(path) as store, Store.open(Path(folder) / "empty.db") as empty:
            ask_all(store)
            rates = [(ingest_rate(empty, part * 2000), ingest_rate(store, part * 2000)) for part in range(3)]
        bare, full = (max(rate) for rate in zip(*rates, strict=True))
        print(f"ingest: {full:,.0f} reports/s, an empty store {bare:,.0f}/s, ratio {full / bare:.2f}")
        if "--postgres" in sys.argv:
            ask_a_server(path)


def ask_all(store: Store, times: float = 1) -> None:
    """Ask every question and print what each took; a limit holds so many `times`."""
    for name, limit, ask in QUESTIONS:
        taken = best_of(lambda ask=ask: ask(store))  # type: ignore[misc]
        verdict = "" if taken < limit * times else f"   over {limit * times:g} s"
        print(f"{name:<45} {taken:8.3f} s{verdict}")


def ask_a_server(path: Path) -> None:
    """Copy the store to a PostgreSQL of its own and ask the same there."""
    with Postgres(shared_buffers="512MB") as postgres:
        server = server_at(postgres.url(postgres.database()))
        start = time.perf_counter()
        copy_store(path, server)
        print(f"PostgreSQL: copied and compared in {time.perf_counter() - start:.0f} s")
        with Store.open(server) as store:
            with store.transaction() as tx:
                tx.session.connection().exec_driver_sql("ANALYZE")
            ask_all(store, times=3)


if __name__ == "__main__":
    main()
