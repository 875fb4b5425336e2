"""Emails to the admins about a mailbox that can't be read or filed: when it lasts, and when it is over."""

from functools import partial

from bounce_watch.model import LetterKind
from bounce_watch.notifications.facts import OutageFacts
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.outbox.enqueue import post
from bounce_watch.store import MailboxPart, MailboxTrouble, Transaction

LONGEST_REASON = 400


def note_fault(
    context: Context, source: str, label: str, fault: Exception, part: MailboxPart = MailboxPart.READING
) -> bool:
    """Note a mailbox's fault. If it lasts too long, write to the admins and return True."""
    now, why = context.clock(), " ".join(str(fault).split())[:LONGEST_REASON] or type(fault).__name__
    with context.store.transaction() as tx:
        tx.mailboxes.note_trouble(source, why, now, part=part)
        trouble = tx.mailboxes.trouble_with(source, part)
        if trouble is None or trouble.is_notified:
            return False
        if (now - trouble.since).total_seconds() < context.config.monitor.tell_after_minutes * 60:
            return False
        repair, commands = str(getattr(fault, "repair", "")), tuple(getattr(fault, "commands", ()))
        _write(context, tx, source, label, trouble, part=part, repair=repair, commands=commands)
        tx.mailboxes.note_trouble(source, why, now, notified=True, part=part)
    return True


def note_recovery(context: Context, source: str, label: str, part: MailboxPart = MailboxPart.READING) -> bool:
    """Note that a mailbox works again. If the admins were notified, write the all-clear and return True."""
    trouble = context.store.mailboxes.trouble_with(source, part)
    if trouble is None:
        return False
    with context.store.transaction() as tx:
        tx.mailboxes.clear_trouble(source, part)
        if trouble.is_notified:
            _write(context, tx, source, label, trouble, part=part, is_over=True)
    return trouble.is_notified


def note_poll(context: Context, source: str, label: str) -> bool:
    """Note that a mailbox was read, and whether it could be filed; return True if the admins are notified."""
    fault = context.filings[source].fault if source in context.filings else None
    if fault is None:
        is_told = note_recovery(context, source, label, MailboxPart.FILING)
    else:
        is_told = note_fault(context, source, label, fault, MailboxPart.FILING)
    return note_recovery(context, source, label) or is_told


def _write(
    context: Context,
    tx: Transaction,
    source: str,
    label: str,
    trouble: MailboxTrouble,
    *,
    part: MailboxPart,
    repair: str = "",
    commands: tuple[str, ...] = (),
    is_over: bool = False,
) -> None:
    for address in context.config.organisation.admins:
        step = "over" if is_over else "begun"
        about = "outage" if part is MailboxPart.READING else "unfiled"
        key = f"{about}:{step}:{source}:{trouble.since.isoformat()}:{address.lower()}"
        facts = OutageFacts(
            event_key=key,
            to=address,
            mailbox=label,
            since=trouble.since,
            now=context.clock(),
            last_look=tx.mailboxes.last_look_at(source),
            why=trouble.why,
            repair=repair,
            commands=commands,
            is_over=is_over,
            is_about_filing=part is MailboxPart.FILING,
        )
        candidate = Candidate(kind=LetterKind.ALERT, to=address, event_key=key)
        post(context, tx, candidate, partial(context.composer.outage, facts))
