"""Mail to support about colleagues whom a letter did not help: they replied, or wrote in vain again."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bounce_watch.model import Answer, Bounce, JudgedReport, LetterKind
from bounce_watch.model.letter_outcome import count_again
from bounce_watch.notifications.facts import QuestionFacts
from bounce_watch.notifications.gate.values import Candidate, Reason
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.outbox.enqueue import post
from bounce_watch.store import OutboxEntry, Transaction

MOST_PER_LETTER = 5
"""Replies to one letter that reach support."""
TIMES_AGAIN = 3
LOOK_BACK = timedelta(days=30)
MOST_RECIPIENTS = 20
"""Recipients of one message that are looked at."""


def pass_on(context: Context, tx: Transaction, answer: Answer, letter: OutboxEntry, event: str) -> str:
    """Send a colleague's words to support, with our letter; return what was done."""
    if tx.letters.count_events(f"question:{event}:"):
        return "a reply to a letter that was passed on before"
    to = context.config.support_to
    if tx.letters.count_events(f"question:{letter.bw_id}:") >= MOST_PER_LETTER * max(len(to), 1):
        tx.outbox.withhold(
            letter.recipient, letter.cause, Reason.PERSON_LIMIT, context.clock(), letter.report_id
        )
        return "one of too many replies to a letter"
    facts = replace(_facts(letter), words=answer.words, bounce=_bounce_of(tx, letter))
    _post(context, tx, to, facts, f"question:{event}", report_id=letter.report_id)
    return "a colleague's reply, passed on to support"


def report_unhelped(context: Context, tx: Transaction, judged: JudgedReport) -> None:
    """Tell support, once, of a person who wrote to a recipient a third time in vain after our letter."""
    pairs = {(bounce.sender, bounce.recipient, bounce.cause): bounce for bounce in judged.failed}
    for bounce in list(pairs.values())[:MOST_RECIPIENTS]:
        if bounce.sender is not None and bounce.evidence in context.site.accepted_evidence:
            _report_unhelped(context, tx, bounce, bounce.sender)


def _report_unhelped(context: Context, tx: Transaction, bounce: Bounce, person: str) -> None:
    since = context.clock() - LOOK_BACK
    accepted = context.site.accepted_evidence
    letters = tx.letters.sent_about(person, bounce.recipient, bounce.cause, since)
    if not letters:
        return
    mails = tx.letters.mails_in_vain(person, bounce.recipient, bounce.cause, since, accepted)
    times = count_again((letter.sent_at for letter in letters if letter.sent_at), mails)
    named = f"{person.lower()}\0{bounce.recipient.lower()}\0{bounce.cause}"
    key = f"unhelped:{hashlib.sha256(named.encode('utf-8', 'replace')).hexdigest()}"
    if times < TIMES_AGAIN or tx.letters.count_events(f"{key}:"):
        return
    facts = replace(_facts(letters[-1]), recipient=bounce.recipient, cause=bounce.cause, times=times)
    _post(context, tx, context.config.support_to, facts, key)


def _facts(letter: OutboxEntry) -> QuestionFacts:
    return QuestionFacts(
        event_key="",
        to="",
        person=letter.recipient,
        subject=letter.subject,
        text=letter.preview,
        sent_at=letter.sent_at or letter.created_at,
    )


def _post(
    context: Context,
    tx: Transaction,
    to: Iterable[str],
    facts: QuestionFacts,
    event: str,
    *,
    report_id: int | None = None,
) -> None:
    for address in to:
        one = replace(facts, to=address, event_key=f"{event}:{address.lower()}")
        candidate = Candidate(kind=LetterKind.QUESTION, to=address, event_key=one.event_key)
        post(context, tx, candidate, partial(context.composer.question, one), report_id=report_id)


def _bounce_of(tx: Transaction, letter: OutboxEntry) -> int | None:
    return tx.letters.first_bounce(letter.report_id) if letter.report_id is not None else None
