"""What one message brings in: its row, the reports in it, their bounces."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, update
from sqlmodel import Session, col, select

from bounce_watch.model import Bounce, Event, Evidence, Kind, Report
from bounce_watch.store import tables, tally
from bounce_watch.store.columns import fold
from bounce_watch.store.errors import AlreadyStored, NotThere
from bounce_watch.store.events import events_of
from bounce_watch.store.records import StoredReport
from bounce_watch.store.rooms import Reads, Writes
from bounce_watch.store.words import MessageState

_MESSAGE, _REPORT = tables.Message, tables.Report
# Made once: to build a statement costs more than to ask it, and these are asked for every message.
_PLACE = (
    col(_MESSAGE.mailbox) == bindparam("at_mailbox"),
    col(_MESSAGE.validity) == bindparam("at_validity"),
    col(_MESSAGE.uid) == bindparam("at_uid"),
)
_AT_PLACE = select(_MESSAGE).where(*_PLACE)
_STATE_AT_PLACE = select(_MESSAGE.state).where(*_PLACE)
_FILED = update(_MESSAGE).where(*_PLACE).values(state=MessageState.FILED)
_FIRST_WITH = select(_REPORT.id).where(
    col(_REPORT.fingerprint) == bindparam("fingerprint"), col(_REPORT.duplicate_of).is_(None)
)
_REPORTED = (
    select(  # type: ignore[call-overload]
        *(_REPORT.message_id, _REPORT.duplicate_of),
        *(_REPORT.arrival_date, _REPORT.report_date, _MESSAGE.received_at),
    )
    .join(_MESSAGE, col(_MESSAGE.id) == col(_REPORT.message_id))
    .where(col(_REPORT.id) == bindparam("report"))
)
_NEW_MESSAGE, _NEW_REPORT, _NEW_BOUNCE = insert(_MESSAGE), insert(_REPORT), insert(tables.Bounce)


def find_message(session: Session, mailbox: str, validity: int, uid: str) -> tables.Message | None:
    """Return the row of the message at this place."""
    return session.exec(_AT_PLACE, params=_at(mailbox, validity, uid)).one_or_none()


def _at(mailbox: str, validity: int, uid: str) -> dict[str, Any]:
    return {"at_mailbox": mailbox, "at_validity": validity, "at_uid": uid}


class KnownMessages(Reads):
    """Questions about messages."""

    def is_known(self, mailbox: str, validity: int, uid: str) -> MessageState | None:
        """Return how far the message at this place came, None when we never met it.

        `seen` means that reading it failed before: it is to be read again.
        """
        with self._reading() as session:
            state = session.exec(_STATE_AT_PLACE, params=_at(mailbox, validity, uid)).one_or_none()
            return None if state is None else MessageState(state)

    def newest_message(self) -> int:
        """Return the number of the newest message, 0 for none."""
        with self._reading() as session:
            return session.exec(select(func.max(_MESSAGE.id))).one() or 0


class Intake(Writes):
    """Writing what a message says."""

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
        """Store a message and return its number; one that failed before (`seen`) is completed.

        `sha256` is that of the raw bytes in hexadecimal, `size` in bytes. Raises AlreadyStored
        when the place is taken by a message that was stored already: ask `is_known` first.
        """
        row = find_message(self._rows, mailbox, validity, uid)
        told = {"sha256": sha256, "size": size, "received_at": received_at}
        told |= {"kind": kind, "reason": reason, "state": state}
        if row is None:
            place = {"mailbox": mailbox, "validity": validity, "uid": uid}
            return self._insert(_NEW_MESSAGE, {**place, "seen_at": now, "attempts": 0, **told})
        if row.state != MessageState.SEEN:
            raise AlreadyStored(f"message {row.id} at this place is {row.state} already")
        for name, value in told.items():
            setattr(row, name, value)
        return self._keep(row).id

    def add_report(
        self,
        message_id: int,
        report: Report,
        *,
        evidence: Evidence | None,
        tests: Iterable[tuple[str, str]],
        now: datetime,
    ) -> StoredReport:
        """Store a report. The same fingerprint again makes a duplicate, whose bounces are not stored."""
        first = self._find_first(report.fingerprint)
        row = _report_row(message_id, report, now)
        row |= {"evidence": evidence, "tests": [list(test) for test in tests], "duplicate_of": first}
        return StoredReport(report_id=self._insert(_NEW_REPORT, row), duplicate_of=first)

    def add_bounces(self, report_id: int, bounces: Sequence[Bounce], now: datetime) -> tuple[Event, ...]:
        """Store the bounces of a report and return the failed ones as events, in order.

        Without a time of its own a bounce gets the report's, else the message's arrival, else `now`;
        none lies after `now`. For a duplicate nothing is stored. Raises NotThere for no such report.
        """
        report = self._rows.exec(_REPORTED, params={"report": report_id}).one_or_none()
        if report is None:
            raise NotThere(f"there is no report {report_id}")
        message_id, duplicate_of, *times = report
        if duplicate_of is not None or not bounces:
            return ()
        told = next((time for time in times if time), now)
        ids = {"report_id": report_id, "message_id": message_id, "recorded_at": now}
        rows = [
            {**ids, "occurred_at": min(bounce.occurred_at or told, now), **_bounce_row(bounce)}
            for bounce in bounces
        ]
        before = tally.rows_of(self._rows, message_id)
        self._rows.connection().execute(_NEW_BOUNCE, rows)
        tally.count_in(self._rows, message_id, before, [tally.counted(row) for row in rows])
        return events_of(self._rows, report_id)  # read back: the rules see what they will see later

    def set_state(self, message_id: int, state: MessageState, reason: str | None = None) -> None:
        """Note that a message was filed, left alone or quarantined. Repeating it changes nothing."""
        row = self._rows.get(tables.Message, message_id)
        if row is None:
            raise NotThere(f"there is no message {message_id}")
        row.state = state
        row.reason = reason or row.reason

    def note_filed(self, places: Sequence[tuple[str, int, str]]) -> None:
        """Note as filed the messages at these places (mailbox, validity, uid), as after their move."""
        self._rows.connection().execute(_FILED, [_at(*place) for place in places])

    def note_moved(self, mailbox: str, up_to: int | None = None) -> None:
        """Note as filed what is `stored` and lies no longer in the folder: its move was done, then we died.

        Only after a walk through the whole folder, in which every such message that is still there is moved.
        `up_to` is the newest row number before the walk: what another watcher stored since is not meant.
        """
        at = tables.Message
        stored = [col(at.state) == MessageState.STORED, col(at.mailbox) == mailbox]
        if up_to is not None:
            stored.append(col(at.id) <= up_to)
        for row in self._rows.exec(select(at).where(*stored)):
            row.state = MessageState.FILED

    def note_failure(self, *, mailbox: str, validity: int, uid: str, reason: str, now: datetime) -> int:
        """Count a failure that will happen again with the same bytes; return how many there were.

        Faults of network, disk or memory are not to be noted: they never lead to quarantine.
        """
        row = find_message(self._rows, mailbox, validity, uid)
        if row is None:
            row = tables.Message(
                mailbox=mailbox, validity=validity, uid=uid, seen_at=now, state=MessageState.SEEN
            )
        row.attempts += 1
        row.reason = reason
        return self._keep(row).attempts

    def _find_first(self, fingerprint: str) -> int | None:
        if not fingerprint:
            return None
        return self._rows.exec(_FIRST_WITH, params={"fingerprint": fingerprint}).one_or_none()

    def _keep(self, row: tables.Message) -> tables.Message:
        self._rows.add(row)
        self._rows.flush()
        return row

    def _insert(self, statement: Any, row: Mapping[str, Any]) -> int:
        (number,) = self._rows.connection().execute(statement, row).inserted_primary_key or (0,)
        return int(number)


def _report_row(message_id: int, report: Report, now: datetime) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "recorded_at": now,
        "kind": report.kind,
        "format": report.format,
        "envelopes": list(report.envelopes),
        "fingerprint": report.fingerprint or None,
        "forwarded_by": report.forwarded_by,
        "language": report.language,
        "report_message_id": report.message_id,
        "report_date": report.date,
        "reporting_mta": report.reporting_mta,
        "received_from_mta": report.received_from_mta,
        "arrival_date": report.arrival_date,
        "original_envelope_id": report.original_envelope_id,
        "original_message_id": report.original.message_id,
        "original_sender": report.original.sender,
        "original_subject": report.original.subject,
        "original_date": report.original.date,
        "original_automatic": list(report.original.automatic),
    }


def _bounce_row(bounce: Bounce) -> dict[str, Any]:
    return {
        "recipient": bounce.recipient,
        "recipient_key": fold(bounce.recipient),
        "recipient_domain": _folded(bounce.recipient_domain),
        "recipient_decoded": bounce.recipient_decoded,
        "original_recipient": bounce.original_recipient,
        "sender": bounce.sender,
        "sender_key": _folded(bounce.sender),
        "sender_domain": _folded(bounce.sender_domain),
        "action": bounce.action,
        "status": bounce.status,
        "reply_code": bounce.reply_code,
        "cause": bounce.cause,
        "persistence": bounce.persistence,
        "owner": bounce.owner,
        "side": bounce.side,
        "evidence": bounce.evidence,
        "remote_mta": bounce.remote_mta,
        "diagnostic_code": bounce.diagnostic_code,
        "remote_status": bounce.remote_status,
        "remote_reply_code": bounce.remote_reply_code,
        "entry": bounce.entry,
        "why": bounce.why,
        "details": bounce.details.as_mapping() if bounce.details else None,
    }


def _folded(text: str | None) -> str | None:
    return None if text is None else fold(text)
