"""Messages at their locations in mailboxes, their reports and the bounces in these."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, update
from sqlmodel import Session, col, select

from bounce_watch.model import Bounce, Event, Evidence, Kind, OriginalMessage, Report
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.store import tables
from bounce_watch.store.database.columns import MAX_TEXT, scrub
from bounce_watch.store.database.errors import AlreadyStored
from bounce_watch.store.database.session import Queries, Repository, read_columns
from bounce_watch.store.database.upsert import insert_new, upsert
from bounce_watch.store.messages.copies import put_first
from bounce_watch.store.messages.events import EVENT_COLUMNS, failed_events
from bounce_watch.store.messages.rows import bounce_row, report_row
from bounce_watch.store.records import StoredReport
from bounce_watch.store.vocabulary import MessageState

_MESSAGE, _REPORT, _BOUNCE = tables.Message, tables.Report, tables.Bounce
# Built once: building a statement takes longer than running it, and these run for every message.
_LOCATION = (
    col(_MESSAGE.mailbox) == bindparam("at_mailbox"),
    col(_MESSAGE.validity) == bindparam("at_validity"),
    col(_MESSAGE.uid) == bindparam("at_uid"),
)
_AT_LOCATION = select(_MESSAGE).where(*_LOCATION)
_FILED = update(_MESSAGE).where(*_LOCATION).values(state=MessageState.FILED)
_STORE = upsert(
    _MESSAGE,
    ("mailbox", "validity", "uid"),
    lambda new: {name: new[name] for name in ("sha256", "size", "received_at", "kind", "reason", "state")},
    where=col(_MESSAGE.state) == MessageState.SEEN,
    returning=(col(_MESSAGE.id),),
)
_NEW_REPORT = insert_new(_REPORT, returning=col(_REPORT.id))
_NEW_BOUNCES = insert(_BOUNCE).returning(*EVENT_COLUMNS, sort_by_parameter_order=True)
_INTERNAL_ON = (
    select(_REPORT.id)
    .where(
        col(_REPORT.original_message_id) == bindparam("of_mail"),
        func.lower(col(_REPORT.original_sender)) == bindparam("of_sender"),
        col(_REPORT.evidence) == Evidence.INTERNAL,
    )
    .limit(1)
)
_FIRST_WITH = select(_REPORT.id, _REPORT.evidence).where(
    col(_REPORT.fingerprint) == bindparam("of_fingerprint"), col(_REPORT.duplicate_of).is_(None)
)


def find_message(session: Session, mailbox: str, validity: int, uid: str) -> tables.Message | None:
    """Return the row of the message at this location, None for none."""
    return session.exec(_AT_LOCATION, params=_at(mailbox, validity, uid)).one_or_none()


def _at(mailbox: str, validity: int, uid: str) -> dict[str, Any]:
    return {"at_mailbox": mailbox, "at_validity": validity, "at_uid": uid}


class MessageQueries(Queries):
    def newest(self) -> int:
        with self._reading() as session:
            return session.exec(select(func.max(_MESSAGE.id))).one() or 0

    def states_at(self, mailbox: str, validity: int, uids: Collection[str]) -> dict[str, MessageState]:
        """Return the states of the messages at these locations; unknown locations are left out.

        `seen` means that reading the message failed before and must be retried.
        """
        query = select(_MESSAGE.uid, _MESSAGE.state).where(
            col(_MESSAGE.mailbox) == mailbox,
            col(_MESSAGE.validity) == validity,
            col(_MESSAGE.uid).in_(list(uids)),
        )
        with self._reading() as session:
            return {uid: MessageState(state) for uid, state in session.exec(query)}

    def has_internal_report(self, original: OriginalMessage) -> bool:
        """Tell whether our own Exchange reported on this sender's Message-ID: we sent that message."""
        if not original.message_id or not original.sender:
            return False
        asked = {"of_mail": scrub(original.message_id[:MAX_TEXT]), "of_sender": original.sender.lower()}
        with self._reading() as session:
            return read_columns(session, _INTERNAL_ON, asked).first() is not None

    def unfiled(self, mailbox: str) -> tuple[MessageLocation, ...]:
        """Return the locations of messages that are stored but not known to be filed, in order."""
        query = select(_MESSAGE.validity, _MESSAGE.uid).where(
            col(_MESSAGE.state) == MessageState.STORED, col(_MESSAGE.mailbox) == mailbox
        )
        with self._reading() as session:
            rows = session.exec(query.order_by(col(_MESSAGE.id)))
            return tuple(
                MessageLocation(mailbox=mailbox, validity=validity, uid=uid) for validity, uid in rows
            )


class Messages(MessageQueries, Repository):
    def add_message(
        self,
        *,
        mailbox: str,
        validity: int,
        uid: str,
        sha256: str,
        size: int,
        received_at: datetime | None,
        now: datetime,
        kind: Kind,
        reason: str | None = None,
        state: MessageState = MessageState.STORED,
    ) -> int:
        """Store a message and return its number; complete the row of one that failed before (`seen`).

        `sha256` is the hexadecimal hash of the bytes that were read, `size` is in bytes. Raises AlreadyStored
        when a message at this location was stored before.
        """
        row = {"mailbox": mailbox, "validity": validity, "uid": uid, "seen_at": now, "attempts": 0}
        row |= {"sha256": sha256, "size": size, "received_at": received_at}
        row |= {"kind": kind, "reason": reason, "state": state}
        connection = self._rows.connection()
        number: int | None = connection.execute(_STORE[connection.dialect.name], row).scalar_one_or_none()
        if number is None:
            raise AlreadyStored("a message at this place was stored already")
        return number

    def renumber(self, mailbox: str, validity: int, uids: Mapping[str, str]) -> dict[str, MessageState]:
        """Note the new locations of messages that are still in a folder after its UIDVALIDITY changed.

        `uids` holds the SHA-256 of messages at unknown locations by UID. Returns the states of those that
        were known at another location, so that a server that changes it at each opening adds no rows.
        """
        in_folder = (MessageState.LEFT, MessageState.STORED)
        query = select(_MESSAGE).where(
            col(_MESSAGE.sha256).in_(set(uids.values())),
            col(_MESSAGE.mailbox) == mailbox,
            col(_MESSAGE.validity) != validity,
            col(_MESSAGE.state).in_(in_folder),
        )
        rows: dict[str | None, list[tables.Message]] = {}
        for row in self._rows.exec(query.order_by(col(_MESSAGE.id))):
            rows.setdefault(row.sha256, []).append(row)
        found = {uid: rows[sha256].pop(0) for uid, sha256 in uids.items() if rows.get(sha256)}
        for uid, row in found.items():
            row.validity, row.uid = validity, uid
        self._rows.flush()
        return {uid: MessageState(row.state) for uid, row in found.items()}

    def add_report(
        self,
        message_id: int,
        report: Report,
        *,
        evidence: Evidence | None,
        tests: Iterable[tuple[str, str]],
        now: datetime,
        received_at: datetime | None = None,
    ) -> StoredReport:
        """Store a report. One with a known fingerprint is a duplicate, whose bounces are not stored.

        `received_at` is when its message arrived.
        """
        connection, first, known = self._rows.connection(), None, None
        row = report_row(message_id, report, now)
        row |= {"evidence": evidence, "tests": [list(test) for test in tests], "duplicate_of": None}
        number = connection.execute(_NEW_REPORT[connection.dialect.name], row).scalar_one_or_none()
        if number is None:
            asked = {"of_fingerprint": scrub(report.fingerprint[:MAX_TEXT])}
            first, known = connection.execute(_FIRST_WITH, asked).one()
            copy = row | {"duplicate_of": first}
            number = connection.execute(_NEW_REPORT[connection.dialect.name], copy).scalar_one()
        times = (report.date, received_at, report.arrival_date)
        return StoredReport(
            report_id=number,
            message_id=message_id,
            duplicate_of=first,
            reported_at=next((time for time in times if time), now),
            known=Evidence(known) if known else None,
        )

    def add_bounces(
        self, report: StoredReport, bounces: Sequence[Bounce], now: datetime
    ) -> tuple[Event, ...]:
        """Store the bounces of a report and return the failed ones as events, in order.

        A bounce without a time gets that of the report, and none is later than `now`. For a duplicate report
        nothing is stored.
        """
        if report.duplicate_of is not None or not bounces:
            return ()
        ids = {"report_id": report.report_id, "message_id": report.message_id, "recorded_at": now}
        rows = [
            {**ids, "occurred_at": min(bounce.occurred_at or report.reported_at, now), **bounce_row(bounce)}
            for bounce in bounces
        ]
        # Events are built from the stored rows, so that the rules get the same values later.
        return failed_events(self._rows.connection().execute(_NEW_BOUNCES, rows))

    def put_first(self, copy: StoredReport, bounces: Sequence[Bounce], now: datetime) -> tuple[Event, ...]:
        """Let a duplicate that proves more take the place of its first copy; return the failed bounces."""
        return put_first(self._rows, copy, bounces, now)

    def note_filed(self, locations: Sequence[MessageLocation]) -> None:
        self._rows.connection().execute(
            _FILED, [_at(one.mailbox, one.validity, one.uid) for one in locations]
        )

    def note_moved(self, mailbox: str, up_to: int | None = None) -> None:
        """Record as filed the `stored` messages that are gone from the folder: a process died after the move.

        Call it only after the whole folder was read, which moves every such message that is still there.
        `up_to` is the newest row number before that, so that messages of other watchers are not included.
        """
        stored = [col(_MESSAGE.state) == MessageState.STORED, col(_MESSAGE.mailbox) == mailbox]
        if up_to is not None:
            stored.append(col(_MESSAGE.id) <= up_to)
        self._rows.connection().execute(update(_MESSAGE).where(*stored).values(state=MessageState.FILED))

    def note_failure(self, *, mailbox: str, validity: int, uid: str, reason: str, now: datetime) -> int:
        """Count a failure that the bytes of a message cause; return the number of failures.

        Do not count errors of network, disk or memory: they must not lead to quarantine.
        """
        row = find_message(self._rows, mailbox, validity, uid)
        if row is None:
            row = _MESSAGE(mailbox=mailbox, validity=validity, uid=uid, seen_at=now, state=MessageState.SEEN)
        row.attempts += 1
        row.reason = reason
        self._rows.add(row)
        self._rows.flush()
        return row.attempts
