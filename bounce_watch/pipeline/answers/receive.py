"""Act on a person's reply to one of our messages: pass it on to support, or obey it.

Only the person whom we wrote to is heard: the mark is ours and belongs to a message that was sent, and the
model of trust (docs/adr/0013) proves that a member of our organization wrote the reply from that address.
A reply to any other message of ours, such as a confirmation, does nothing, so that no two robots go on.
"""

import hashlib

from bounce_watch.classify.layers import Author, Position, find_author
from bounce_watch.model import Answer, LetterKind, OutboxState, Site
from bounce_watch.notifications.freeze import is_own_mark
from bounce_watch.pipeline.answers.obey import obey
from bounce_watch.pipeline.answers.support import pass_on
from bounce_watch.pipeline.context import Context
from bounce_watch.store import OutboxEntry, Transaction

_LEFT_US = (OutboxState.SENT, OutboxState.UNKNOWN)


def receive_answer(context: Context, tx: Transaction, answer: Answer | None) -> str | None:
    """Do what a reply asks for; return what was done, in one clause, None if it is no reply to us.

    The same reply read again, or a copy of it, does nothing more.
    """
    if (
        answer is None
        or context.config.reply.reply_to == "none"
        or not is_own_mark(context.secret, answer.mark)
    ):
        return None
    entry = tx.letters.find_by_mark(answer.mark)
    if entry is None or entry.state not in _LEFT_US or not is_from(answer, entry, context.site):
        return None
    match entry.kind:
        case LetterKind.REPLY:
            return pass_on(context, tx, answer, entry, _event_of(answer))
        case LetterKind.ALERT:
            return obey(context, tx, answer, entry, _event_of(answer))
        case _:
            return None


def is_from(answer: Answer, entry: OutboxEntry, site: Site) -> bool:
    """Tell whether a member wrote the answer, from the address that the message went to."""
    found = find_author(answer.provenance, Position.MAILBOX, site)
    return found.author is Author.MEMBER and found.address == entry.recipient.lower()


def _event_of(answer: Answer) -> str:
    """Name a reply, the same for every copy of it."""
    text = f"{answer.mark}\0{answer.message_id or answer.words}"
    return f"{answer.mark}:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:24]}"
