"""Do what an admin replied to an alert, as the command line would, and confirm it in one line."""

from functools import partial
from typing import assert_never

import structlog

from bounce_watch.model import Answer, Incident, IncidentState, LetterKind, Owner
from bounce_watch.notifications.facts import ConfirmationFacts, Done
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.pipeline.answers.command import Command, Verb, read_command
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.incidents.all_clear import close_in
from bounce_watch.pipeline.outbox.enqueue import post
from bounce_watch.store import OutboxEntry, Transaction

LONGEST_NOTE = 500
MOST_PER_ALERT = 20
"""Replies to one alert that do something: people need fewer, and robots stop here."""
_OPEN_ONLY = (Verb.ACKNOWLEDGE, Verb.SILENCE)

log = structlog.get_logger()


def obey(context: Context, tx: Transaction, answer: Answer, alert: OutboxEntry, event: str) -> str | None:
    """Change the incident of an alert as its reader replied; return what was done.

    None for an account that the incident suspects.
    """
    if tx.letters.count_events(f"confirmation:{event}"):
        return "a reply to an alert that was read before"
    if tx.letters.count_events(f"confirmation:{alert.bw_id}:") >= MOST_PER_ALERT:
        return "one of too many replies to an alert"
    incident = tx.incidents.alert_state(alert.incident).incident if alert.incident is not None else None
    if incident is not None and _is_about(incident, alert.recipient):
        log.warning("reply_of_affected_account", incident=incident.name)
        return None
    command = read_command(answer.words)
    done = _apply(context, tx, incident, command, alert.recipient)
    key = f"{alert.bw_id}:{done}" if done is Done.NOT_UNDERSTOOD else event
    facts = ConfirmationFacts(
        event_key=f"confirmation:{key}",
        to=alert.recipient,
        done=done,
        subject=alert.subject,
        name=incident.name if incident else "",
        note=command.text if command else "",
        until=context.clock() + command.span if command else None,
        in_reply_to=answer.message_id,
    )
    if not tx.outbox.event_known(facts.event_key):
        candidate = Candidate(kind=LetterKind.CONFIRMATION, to=facts.to, event_key=facts.event_key)
        post(context, tx, candidate, partial(context.composer.confirmation, facts), incident=alert.incident)
    return f"a reply to an alert: {done.replace('_', ' ')} {facts.name}".rstrip()


def _is_about(incident: Incident, address: str) -> bool:
    """Tell whether the incident suspects this very account: an intruder may write from it."""
    finding = incident.finding
    return finding.owner is Owner.SECURITY and address.lower() in {one.lower() for one in finding.senders}


def _apply(
    context: Context, tx: Transaction, incident: Incident | None, command: Command | None, by: str
) -> Done:
    if incident is None or command is None:
        return Done.NOT_UNDERSTOOD
    number, now, text = incident.number, context.clock(), plain(command.text, LONGEST_NOTE)
    is_resolved = command.verb is Verb.RESOLVE and incident.state is IncidentState.RESOLVED
    if is_resolved or (incident.state.is_closed and command.verb in _OPEN_ONLY):
        return Done.CLOSED
    match command.verb:
        case Verb.ACKNOWLEDGE:
            tx.incidents.acknowledge(number, now, by=by, note=text)
            return Done.ACKNOWLEDGED
        case Verb.SILENCE:
            tx.incidents.silence(number, now + command.span, now, by=by, why=text)
            return Done.SILENCED
        case Verb.RESOLVE:
            close_in(context, tx, number, by=by, why=text)
            return Done.RESOLVED
        case Verb.NOTE:
            tx.incidents.note(number, text, now, by=by)
            return Done.NOTED
        case verb:
            assert_never(verb)
