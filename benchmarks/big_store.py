"""A store with very many bounces, written straight into its tables: two years of a large site."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from bounce_watch.model import Cause, Owner
from bounce_watch.store import Store

DAYS = 730
PEOPLE, DOMAINS, STRANGERS = 20_000, 30_000, 300_000
_KINDS = (
    (40, "5.1.10", "550", Cause.RECIPIENT_UNKNOWN, Owner.SENDER, "RESOLVER.ADR.RecipientNotFound"),
    (15, "5.2.2", "552", Cause.MAILBOX_FULL, Owner.RECIPIENT_ADMIN, "mailbox full"),
    (12, "5.7.1", "550", Cause.POLICY_REJECTED, Owner.RECIPIENT_ADMIN, "message refused by policy"),
    (10, "5.4.1", "550", Cause.RECIPIENT_UNKNOWN, Owner.SENDER, "recipient address rejected: access denied"),
    (8, "5.7.23", "550", Cause.SPF_FAILED, Owner.MAIL_ADMIN, "SPF validation failed"),
    (8, "4.4.7", None, Cause.MESSAGE_EXPIRED, Owner.NOBODY, "message delayed"),
    (5, "5.7.509", "550", Cause.DMARC_FAILED, Owner.MAIL_ADMIN, "does not pass DMARC verification"),
    (2, "5.1.8", "501", Cause.SENDER_BLOCKED, Owner.SECURITY, "access denied, bad outbound sender"),
)  # fmt: skip
_WEIGHTS = [kind[0] for kind in _KINDS]

_MESSAGE = """
INSERT INTO message
    (id, mailbox, validity, uid, sha256, size, received_at, seen_at, kind, state, attempts)
VALUES (?, 'imap:bounces/INBOX', 7, ?, ?, 9000, ?, ?, 'failure', 'filed', 0)
"""
_REPORT = """
INSERT INTO report
    (id, message_id, recorded_at, kind, format, envelopes, evidence, tests, fingerprint, reporting_mta,
    arrival_date, original_message_id, original_sender, original_subject, original_automatic)
VALUES (?, ?, ?, 'failure', 'exchange', '[]', 'internal', '[]', ?, ?, ?, ?, ?, ?, '[]')
"""
_BOUNCE = """
INSERT INTO bounce
    (report_id, message_id, recorded_at, occurred_at, recipient, recipient_key, recipient_domain,
    sender, sender_key, sender_domain, action, status, reply_code, cause, persistence, owner,
    side, evidence, diagnostic_code)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'contoso.example', 'failed', ?, ?, ?, 'permanent', ?,
    'theirs', 'internal', ?)
"""
_WITHHELD = """
INSERT INTO withheld (at, recipient, recipient_key, cause, reason, report_id)
VALUES (?, ?, ?, ?, 'recently_told', ?)
"""
Row = tuple[object, ...]


def fill_store(path: Path, bounces: int, until: datetime, seed: int = 20261124) -> None:
    """Make a store with so many bounces before `until`: one a mail, some mails with several recipients."""
    Store.open(path).close()
    chance = random.Random(seed)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for rows in _batches(chance, bounces, until):
            for statement, values in rows.items():
                connection.executemany(statement, values)
            connection.commit()
        connection.execute("ANALYZE")
        connection.commit()


def _batches(chance: random.Random, bounces: int, until: datetime) -> Iterator[dict[str, list[Row]]]:
    start = until - timedelta(days=DAYS)
    number = done = 0
    while done < bounces:
        rows: dict[str, list[Row]] = {_MESSAGE: [], _REPORT: [], _BOUNCE: [], _WITHHELD: []}
        while done < bounces and len(rows[_MESSAGE]) < 20_000:
            number += 1
            at = int((start + (until - start) * (done / bounces)).timestamp() * 1_000_000)
            recipients = 1 if chance.random() < 0.95 else chance.randrange(2, 6)
            _mail(rows, chance, number, at, min(recipients, bounces - done))
            done += recipients
        yield rows


def _mail(rows: dict[str, list[Row]], chance: random.Random, number: int, at: int, recipients: int) -> None:
    """Add one mail that failed. A few people and domains have most of the failures."""
    sender = f"person{int(PEOPLE * chance.random() ** 3)}@contoso.example"
    ((_, status, reply, cause, owner, words),) = chance.choices(_KINDS, _WEIGHTS)
    name, subject = f"{number:032x}", f"Subject {int(100_000 * chance.random())}"
    mail = f"<{name}@contoso.example>"
    rows[_MESSAGE].append((number, str(number), name * 2, at, at))
    rows[_REPORT].append((number, number, at, name, "mx.contoso.example", at, mail, sender, subject))
    for _ in range(recipients):
        domain = f"domain{int(DOMAINS * chance.random() ** 3)}.example"
        to = f"r{int(STRANGERS * chance.random())}@{domain}"
        said = f"{reply or 450} {status} {words} for {to}"
        place = (number, number, at, at, to, to, domain, sender, sender)
        rows[_BOUNCE].append((*place, status, reply, cause, owner, said))
    if chance.random() < 0.4:
        rows[_WITHHELD].append((at, sender, sender, cause, number))
