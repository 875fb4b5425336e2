"""What came of letters is counted as it happened: scripted people, whose outcome is known beforehand."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isclose
from typing import Any

import pytest

from bounce_watch.model import Action, Cause, Evidence, LetterKind, OutboxState
from bounce_watch.model.letter_outcome import WITHIN, LetterOutcome, MailInVain, count_again, wilson
from bounce_watch.store import Store, tables
from bounce_watch.store.queries.letters import LettersBy
from tests.store.values import NOW

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
OURS = (Evidence.INTERNAL,)
AGAIN, ASKED, QUIET, OPEN = LetterOutcome
CAUSES = (Cause.RECIPIENT_UNKNOWN, Cause.MAILBOX_FULL, Cause.MESSAGE_TOO_LARGE)


@dataclass
class Script:
    """The rows of many people, and what is to be found. A row's number is its place in its list."""

    chance: random.Random
    reports: list[dict[str, Any]] = field(default_factory=list)
    bounces: list[dict[str, Any]] = field(default_factory=list)
    mails: list[dict[str, Any]] = field(default_factory=list)
    withheld: list[dict[str, Any]] = field(default_factory=list)
    expected: Counter[tuple[str, LetterOutcome]] = field(default_factory=Counter)

    def report(
        self, person: str, recipient: str, cause: Cause, at: datetime, sent: datetime | None, **other: Any
    ) -> int:
        """Add a report with one bounce; return its number."""
        number = len(self.reports) + 1
        mail = other.pop("mail", f"<{number}@contoso.example>")
        about = {"original_message_id": mail, "original_date": sent, "original_automatic": []}
        self.reports.append(
            {"id": number, "message_id": 1, "recorded_at": at, "kind": "failure", "format": "x"}
            | {"envelopes": [], "tests": [], "fingerprint": f"f{number}", **about}
        )
        row = {"report_id": number, "message_id": 1, "recorded_at": at, "occurred_at": at, "cause": cause}
        who = {"recipient": recipient, "recipient_key": recipient, "sender": person, "sender_key": person}
        what = {"action": Action.FAILED, "persistence": "permanent", "owner": "sender"}
        self.bounces.append({**row, **who, **what, "evidence": Evidence.INTERNAL, **other})
        return number

    def mail(self, kind: LetterKind, person: str, at: datetime, report: int, **other: Any) -> None:
        number = len(self.mails) + 1
        row = {"kind": kind, "event_key": f"e{number}", "bw_id": f"bw{number}", "recipient": person}
        what = {"recipient_key": person, "subject": "", "preview": "", "raw": b"", "report_id": report}
        when = {"created_at": at - MINUTE, "sent_at": at, "attempts": 1, "state": OutboxState.SENT}
        self.mails.append({**row, **what, **when, "cause": None, "language": None, **other})

    def person(self, number: int) -> None:
        """Play one person: a letter, then up to three things, each of which has a known meaning."""
        chance, person = self.chance, f"p{number}@contoso.example"
        cause, language = chance.choice(CAUSES), chance.choice(("en", "de", "fr"))
        recipient, age = (
            f"r{number}@fabrikam.example",
            chance.choice((chance.randint(15, 60), chance.randint(1, 13))),
        )
        sent = NOW - age * DAY - chance.randint(1, 9) * MINUTE
        first = self.report(person, recipient, cause, sent - 5 * MINUTE, sent - 6 * MINUTE)
        state = OutboxState.HELD if chance.random() < 0.05 else OutboxState.SENT
        self.mail(LetterKind.REPLY, person, sent, first, cause=cause, language=language, state=state)
        found = [
            chance.choice(EVENTS)(self, person, recipient, cause, sent, first)
            for _ in range(chance.randint(0, 3))
        ]
        rest = QUIET if NOW - sent > WITHIN else OPEN
        outcome = next((one for one in (AGAIN, ASKED) if one in found), rest)
        if state is OutboxState.SENT:
            self.expected[cause, outcome] += 1
            self.expected[language, outcome] += 1

    def within(self, sent: datetime) -> datetime:
        """Return a time within 14 days after a letter, and not in the future."""
        return sent + self.chance.random() * (min(WITHIN, NOW - sent) - 2 * MINUTE) + timedelta(seconds=1)


Event = LetterOutcome | None


def again(s: Script, person: str, to: str, cause: Cause, sent: datetime, first: int) -> Event:
    at = s.within(sent)
    s.report(person, to, cause, at + MINUTE, s.chance.choice((at, None, at + 9_000 * DAY)))
    return AGAIN


def again_on_the_last_moment(
    s: Script, person: str, to: str, cause: Cause, sent: datetime, first: int
) -> Event:
    late = s.chance.choice((timedelta(0), timedelta(microseconds=1)))
    s.report(person, to, cause, sent + WITHIN + DAY, sent + WITHIN + late)
    return None if late else AGAIN


def on_its_way(s: Script, person: str, to: str, cause: Cause, sent: datetime, first: int) -> Event:
    s.report(person, to, cause, s.within(sent), sent - s.chance.choice((timedelta(0), DAY)))
    return None


def something_else(s: Script, person: str, to: str, cause: Cause, sent: datetime, first: int) -> Event:
    at, other = s.within(sent), next(one for one in CAUSES if one is not cause)
    match s.chance.randint(0, 5):
        case 0:
            s.report(person, to, other, at, at)
        case 1:
            s.report(person, f"x{to}", cause, at, at)
        case 2:
            s.report(f"x{person}", to, cause, at, at)
        case 3:
            s.report(person, to, cause, at, at, action=Action.DELAYED)
        case 4:
            s.report(person, to, cause, at, at, evidence=Evidence.UNVERIFIED)
        case _:
            s.report(person, to, cause, at, at, mail=f"<{first}@contoso.example>")
    return None


def asked(s: Script, person: str, to: str, cause: Cause, sent: datetime, first: int) -> Event:
    s.mail(LetterKind.QUESTION, "help@contoso.example", s.within(sent) + MINUTE, first)
    return ASKED


def asked_too_late(s: Script, person: str, to: str, cause: Cause, sent: datetime, first: int) -> Event:
    s.mail(LetterKind.QUESTION, "help@contoso.example", sent + WITHIN + 2 * MINUTE, first)
    return None


def again_about_a_joined_report(
    s: Script, person: str, to: str, cause: Cause, sent: datetime, first: int
) -> Event:
    """The letter told of two mails; the second is tried again."""
    second = s.report(person, f"second-{to}", cause, sent - MINUTE, sent - 2 * MINUTE)
    row = {"at": sent - MINUTE, "recipient": person, "recipient_key": person, "cause": cause}
    s.withheld.append({**row, "reason": "same_letter", "report_id": second})
    at = s.within(sent)
    s.report(person, f"second-{to}", cause, at, at)
    return AGAIN


EVENTS = (
    *(again, again_on_the_last_moment, again_about_a_joined_report),
    *(on_its_way, something_else, something_else, asked, asked_too_late),
)


def write(store: Store, script: Script) -> None:
    message = {
        "id": 1,
        "mailbox": "m",
        "validity": 1,
        "uid": "1",
        "seen_at": NOW,
        "state": "filed",
        "attempts": 0,
    }
    with store.transaction() as tx:
        connection = tx.session.connection()
        connection.execute(tables.Message.__table__.insert(), [message])  # type: ignore[attr-defined]
        rows = (script.reports, script.bounces, script.mails, script.withheld)
        for table, found in zip(
            (tables.Report, tables.Bounce, tables.Outgoing, tables.Withheld), rows, strict=True
        ):
            connection.execute(table.__table__.insert(), found)  # type: ignore[attr-defined]


@pytest.mark.parametrize("people", [1_000, pytest.param(5_000, marks=pytest.mark.proof)])
def test_every_outcome_of_scripted_people_is_right(store: Store, people: int) -> None:
    script = Script(random.Random(20))
    for number in range(people):
        script.person(number)
    write(store, script)
    found: Counter[tuple[str, LetterOutcome]] = Counter()
    for by in LettersBy:
        for one in store.letters.outcomes(by, NOW - 99 * DAY, NOW, NOW, OURS):
            found.update({(one.label, outcome): getattr(one, outcome) for outcome in LetterOutcome})
    assert {key: count for key, count in found.items() if count} == dict(script.expected)
    assert all(script.expected[CAUSES[0], outcome] > people // 100 for outcome in LetterOutcome)


def test_each_letter_is_counted_in_one_span(store: Store) -> None:
    script = Script(random.Random(3))
    for number in range(300):
        script.person(number)
    write(store, script)
    spans = [(NOW - (days + 10) * DAY, NOW - days * DAY) for days in range(0, 70, 10)]
    counts = [
        one
        for since, until in spans
        for one in store.letters.outcomes(LettersBy.CAUSE, since, until, NOW, OURS)
    ]
    expected = sum(count for (label, _), count in script.expected.items() if label in CAUSES)
    assert sum(one.decided + one.open for one in counts) == expected


def test_a_message_counts_once_and_only_if_it_was_sent_after_the_first_letter() -> None:
    mails = [
        MailInVain(message_id=name, sent_at=NOW + hours * timedelta(hours=1))
        for name, hours in (("a", -1), ("b", 0), ("c", 1), ("c", 2), ("d", 3), (None, 4), (None, 5))
    ]
    assert count_again([NOW + DAY, NOW], mails) == 4
    assert count_again([], mails) == 0


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 20, 0.0, 0.1611), (10, 20, 0.2993, 0.7007), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_is_wilsons(hits: int, total: int, low: float, high: float) -> None:
    """81 of 263 is the example of R. G. Newcombe (Statistics in Medicine 17, 1998), method 3."""
    found = wilson(hits, total)
    assert isclose(found[0], low, abs_tol=6e-5)
    assert isclose(found[1], high, abs_tol=6e-5)
