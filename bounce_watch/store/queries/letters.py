"""Letters to colleagues and what came after them: replies, and the same message in vain again."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, bindparam, union
from sqlalchemy.orm import aliased
from sqlmodel import col, func, select

from bounce_watch.model import Action, Cause, Evidence, LetterKind, OutboxState
from bounce_watch.model.letter_outcome import (
    LetterOutcome,
    MailInVain,
    OutcomeCount,
    count_outcomes,
    outcome_of,
)
from bounce_watch.store import tables
from bounce_watch.store.database.columns import fold
from bounce_watch.store.database.session import Queries, read_columns
from bounce_watch.store.outbox.queries import entries
from bounce_watch.store.records import OutboxEntry

_MAIL, _BOUNCE, _REPORT, _WITHHELD = tables.Outgoing, tables.Bounce, tables.Report, tables.Withheld
_SAME_LETTER = "same_letter"
_ARE_LETTERS = (
    col(_MAIL.kind) == LetterKind.REPLY,
    col(_MAIL.state) == OutboxState.SENT,
    col(_MAIL.report_id).is_not(None),
)
# Built once: it is asked for each bounce, and most people never got a letter.
_HAS_LETTER = (
    select(_MAIL.id)
    .where(
        *_ARE_LETTERS,
        col(_MAIL.recipient_key) == bindparam("person"),
        col(_MAIL.created_at) >= bindparam("since"),
    )
    .limit(1)
)
_FAILED = col(_BOUNCE.action) == Action.FAILED
MOST = 200


class LettersBy(StrEnum):
    """What outcomes can be counted by."""

    CAUSE = "cause"
    LANGUAGE = "language"


class Letters(Queries):
    def count_events(self, start: str) -> int:
        """Count the messages whose event keys begin with a text, in any state."""
        with self._reading() as session:
            begins = col(_MAIL.event_key).startswith(start, autoescape=True)
            return session.exec(select(func.count()).select_from(_MAIL).where(begins)).one()

    def find_by_mark(self, bw_id: str) -> OutboxEntry | None:
        """Return the message that has a mark of ours, None for none."""
        with self._reading() as session:
            return next(iter(entries(session, col(_MAIL.bw_id) == bw_id, limit=1)), None)

    def sent_about(
        self, person: str, recipient: str, cause: Cause, since: datetime
    ) -> tuple[OutboxEntry, ...]:
        """Return the letters sent to a person since then about a recipient and cause, oldest first."""
        theirs = (*_ARE_LETTERS, col(_MAIL.recipient_key) == fold(person), col(_MAIL.created_at) >= since)
        asked = {"person": fold(person), "since": since}
        with self._reading() as session:
            if read_columns(session, _HAS_LETTER, asked).first() is None:
                return ()
            about = _reports_of(*theirs)
            topic = select(about.c.letter).join(_BOUNCE, col(_BOUNCE.report_id) == about.c.report)
            topic = topic.where(_FAILED, *_is_about(recipient, cause))
            return entries(session, col(_MAIL.id).in_(topic), limit=MOST)[::-1]

    def mails_in_vain(
        self, person: str, recipient: str, cause: Cause, since: datetime, accepted: Collection[Evidence]
    ) -> tuple[MailInVain, ...]:
        """Return the messages of a person to a recipient that bounced since then for a cause."""
        query: Any = select(_BOUNCE.occurred_at, _REPORT.original_date, _REPORT.original_message_id)
        query = query.join(_REPORT, col(_REPORT.id) == col(_BOUNCE.report_id)).where(
            col(_BOUNCE.sender_key) == fold(person),
            col(_BOUNCE.occurred_at) >= since,
            col(_BOUNCE.evidence).in_(sorted(accepted)),
            *_is_about(recipient, cause),
            _FAILED,
        )
        with self._reading() as session:
            rows = session.exec(query.limit(MOST)).all()
        return tuple(
            MailInVain(message_id=name, sent_at=_sent_at(bounced, sent)) for bounced, sent, name in rows
        )

    def first_bounce(self, report_id: int) -> int | None:
        """Return the number of the first failed bounce of a report, None for none."""
        query = select(func.min(_BOUNCE.id)).where(col(_BOUNCE.report_id) == report_id, _FAILED)
        with self._reading() as session:
            return session.exec(query).one()

    def outcomes(
        self, by: LettersBy, since: datetime, until: datetime, now: datetime, accepted: Collection[Evidence]
    ) -> tuple[OutcomeCount, ...]:
        """Count the outcomes of the letters that were sent from `since` to before `until`."""
        chosen = (*_ARE_LETTERS, col(_MAIL.sent_at) >= since, col(_MAIL.sent_at) < until)
        label = _MAIL.cause if by is LettersBy.CAUSE else _MAIL.language
        query: Any = select(_MAIL.id, label, _MAIL.sent_at).where(*chosen)
        with self._reading() as session:
            letters = session.exec(query).all()
            again = _grouped(session.exec(_again(chosen, accepted)).all())
            asked = _grouped(session.exec(_asked(chosen)).all())
        return count_outcomes(
            [
                (name or "", _outcome(again[number], asked[number], sent_at, now))
                for number, name, sent_at in letters
            ]
        )


def _outcome(
    again: list[tuple[datetime, datetime | None]],
    asked: list[tuple[datetime, datetime | None]],
    sent_at: datetime,
    now: datetime,
) -> LetterOutcome:
    return outcome_of(
        sent_at,
        again=[_sent_at(bounced, sent) for bounced, sent in again],
        asked=[at for at, _ in asked],
        now=now,
    )


def _sent_at(bounced: datetime, dated: datetime | None) -> datetime:
    """Return when a message was sent: its own Date, unless a wrong clock wrote it."""
    return dated if dated is not None and dated <= bounced else bounced


def _grouped(rows: Collection[Any]) -> Mapping[int, list[tuple[datetime, datetime | None]]]:
    found: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for letter, *times in rows:
        found[letter].append((times[0], times[1]))
    return found


def _is_about(recipient: str, cause: Cause) -> tuple[ColumnElement[bool], ...]:
    return col(_BOUNCE.recipient_key) == fold(recipient), col(_BOUNCE.cause) == cause


def _reports_of(*chosen: ColumnElement[bool]) -> Any:
    """Return the numbers of letters with those of all reports that they are about."""
    own: Any = select(col(_MAIL.id).label("letter"), col(_MAIL.report_id).label("report")).where(*chosen)
    joined = select(col(_MAIL.id), col(_WITHHELD.report_id)).join(
        _WITHHELD,
        (col(_WITHHELD.recipient_key) == col(_MAIL.recipient_key))
        & (col(_WITHHELD.reason) == _SAME_LETTER)
        & (col(_WITHHELD.at) >= col(_MAIL.created_at))
        & (col(_WITHHELD.at) <= col(_MAIL.sent_at)),
    )
    return union(own, joined.where(*chosen)).subquery("about")


def _again(chosen: Collection[ColumnElement[bool]], accepted: Collection[Evidence]) -> Any:
    """Return the query for letters with the times of what bounced again: (letter, bounced, sent)."""
    about, later, first, then = _reports_of(*chosen), aliased(_BOUNCE), aliased(_REPORT), aliased(_REPORT)
    is_same_mail = col(then.original_message_id) == col(first.original_message_id)
    return (
        select(about.c.letter, later.occurred_at, then.original_date)
        .join(_MAIL, col(_MAIL.id) == about.c.letter)
        .join(_BOUNCE, col(_BOUNCE.report_id) == about.c.report)
        .join(first, col(first.id) == about.c.report)
        .join(
            later,
            (col(later.sender_key) == col(_MAIL.recipient_key))
            & (col(later.occurred_at) > col(_MAIL.sent_at))
            & (col(later.recipient_key) == col(_BOUNCE.recipient_key))
            & (col(later.cause) == col(_BOUNCE.cause)),
        )
        .join(then, col(then.id) == col(later.report_id))
        .where(_FAILED, col(later.action) == Action.FAILED, col(later.evidence).in_(sorted(accepted)))
        .where(func.coalesce(is_same_mail, False).is_(False))
    )


def _asked(chosen: Collection[ColumnElement[bool]]) -> Any:
    """Return the query for letters with the times of replies to them."""
    question = aliased(_MAIL)
    same = col(question.report_id) == col(_MAIL.report_id)
    asked = select(_MAIL.id, question.created_at, question.sent_at).join(question, same)
    return asked.where(*chosen, col(question.kind) == LetterKind.QUESTION)
