"""What one message brings in: its row, the reports in it, their bounces."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from bounce_watch.model import Bounce, Event, Evidence, Kind, Report
from bounce_watch.store import tables, tally
from bounce_watch.store.columns import fold
from bounce_watch.store.errors import NotThere
from bounce_watch.store.events import events_of
from bounce_watch.store.records import StoredReport
from bounce_watch.store.rooms import Reads, Writes
from bounce_watch.store.words import MessageState


def find_message(session: Session, mailbox: str, validity: int, uid: str) -> tables.Message | None:
    """Return the row of the message at this place."""
    at = tables.Message
    place = (col(at.mailbox) == mailbox, col(at.validity) == validity, col(at.uid) == uid)
    return session.exec(select(at).where(*place)).one_or_none()


class KnownMessages(Reads):
    """Questions about messages."""

    def is_known(self, mailbox: str, validity: int, uid: str) -> MessageState | None:
        """Return how far the message at this place came, None when we never met it.

        `seen` means that reading it failed before: it is to be read again.
        """
        with self._reading() as session:
            row = find_message(session, mailbox, validity, uid)
            return None if row is None else MessageState(row.state)


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

        `sha256` is that of the raw bytes in hexadecimal, `size` in bytes. Raises NotThere when the
        place is taken by a message that was stored already: ask `is_known` first.
        """
        row = find_message(self._rows, mailbox, validity, uid)
        if row is None:
            row = tables.Message(mailbox=mailbox, validity=validity, uid=uid, seen_at=now, state=state)
        elif row.state != MessageState.SEEN:
            raise NotThere(f"message {row.id} at this place is {row.state} already")
        row.sha256, row.size, row.received_at = sha256, size, received_at
        row.kind, row.reason, row.state = kind, reason, state
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
        row.evidence, row.tests, row.duplicate_of = evidence, [list(test) for test in tests], first
        return StoredReport(report_id=self._keep_report(row).id, duplicate_of=first)

    def add_bounces(self, report_id: int, bounces: Sequence[Bounce], now: datetime) -> tuple[Event, ...]:
        """Store the bounces of a report and return the failed ones as events, in order.

        Without a time of its own a bounce gets the report's, else the message's arrival, else `now`;
        none lies after `now`. For a duplicate nothing is stored. Raises NotThere for no such report.
        """
        report = self._rows.get(tables.Report, report_id)
        if report is None:
            raise NotThere(f"there is no report {report_id}")
        if report.duplicate_of is not None:
            return ()
        message = self._rows.get_one(tables.Message, report.message_id)
        told = report.arrival_date or report.report_date or message.received_at or now
        rows = [_bounce_row(report, bounce, min(bounce.occurred_at or told, now), now) for bounce in bounces]
        self._rows.add_all(rows)
        self._rows.flush()
        tally.count_in(self._rows, report.message_id, rows)
        return events_of(self._rows, report_id)  # read back: the rules see what they will see later

    def set_state(self, message_id: int, state: MessageState, reason: str | None = None) -> None:
        """Note that a message was filed, left alone or quarantined. Repeating it changes nothing."""
        row = self._rows.get(tables.Message, message_id)
        if row is None:
            raise NotThere(f"there is no message {message_id}")
        row.state = state
        row.reason = reason or row.reason

    def set_state_at(self, mailbox: str, validity: int, uid: str, state: MessageState) -> None:
        """Do the same for the message at a place, as after a crash between commit and move."""
        row = find_message(self._rows, mailbox, validity, uid)
        if row is None:
            raise NotThere(f"there is no message {uid} in {mailbox}")
        row.state = state

    def note_moved(self, mailbox: str) -> None:
        """Note as filed what is `stored` and lies no longer in the folder: its move was done, then we died.

        Only after a walk through the whole folder, in which every such message that is still there is moved.
        """
        at = tables.Message
        stored = (col(at.state) == MessageState.STORED, col(at.mailbox) == mailbox)
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
        report = tables.Report
        same = (col(report.fingerprint) == fingerprint, col(report.duplicate_of).is_(None))
        return self._rows.exec(select(report.id).where(*same)).one_or_none()

    def _keep(self, row: tables.Message) -> tables.Message:
        self._rows.add(row)
        self._rows.flush()
        return row

    def _keep_report(self, row: tables.Report) -> tables.Report:
        self._rows.add(row)
        self._rows.flush()
        return row


def _report_row(message_id: int, report: Report, now: datetime) -> tables.Report:
    return tables.Report(
        message_id=message_id,
        recorded_at=now,
        kind=report.kind,
        format=report.format,
        envelopes=list(report.envelopes),
        tests=[],
        fingerprint=report.fingerprint or None,
        forwarded_by=report.forwarded_by,
        language=report.language,
        report_message_id=report.message_id,
        report_date=report.date,
        reporting_mta=report.reporting_mta,
        received_from_mta=report.received_from_mta,
        arrival_date=report.arrival_date,
        original_envelope_id=report.original_envelope_id,
        original_message_id=report.original.message_id,
        original_sender=report.original.sender,
        original_subject=report.original.subject,
        original_date=report.original.date,
        original_automatic=list(report.original.automatic),
    )


def _bounce_row(report: tables.Report, bounce: Bounce, occurred_at: datetime, now: datetime) -> tables.Bounce:
    return tables.Bounce(
        report_id=report.id,
        message_id=report.message_id,
        recorded_at=now,
        occurred_at=occurred_at,
        recipient=bounce.recipient,
        recipient_key=fold(bounce.recipient),
        recipient_domain=_folded(bounce.recipient_domain),
        recipient_decoded=bounce.recipient_decoded,
        original_recipient=bounce.original_recipient,
        sender=bounce.sender,
        sender_key=_folded(bounce.sender),
        sender_domain=_folded(bounce.sender_domain),
        action=bounce.action,
        status=bounce.status,
        reply_code=bounce.reply_code,
        cause=bounce.cause,
        persistence=bounce.persistence,
        owner=bounce.owner,
        side=bounce.side,
        evidence=bounce.evidence,
        remote_mta=bounce.remote_mta,
        diagnostic_code=bounce.diagnostic_code,
        remote_status=bounce.remote_status,
        remote_reply_code=bounce.remote_reply_code,
        entry=bounce.entry,
        why=bounce.why,
        details=bounce.details.as_mapping() if bounce.details else None,
    )


def _folded(text: str | None) -> str | None:
    return None if text is None else fold(text)
