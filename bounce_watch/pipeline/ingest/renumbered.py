"""Messages that are known, in a folder whose UIDVALIDITY has changed."""

import hashlib
from collections.abc import Sequence

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.interface import Message
from bounce_watch.store import MessageState, Transaction


def find_renumbered(tx: Transaction, messages: Sequence[Message]) -> dict[MessageLocation, MessageState]:
    """Return the states of messages that were stored under an older UIDVALIDITY and are still there."""
    found: dict[MessageLocation, MessageState] = {}
    for mailbox, validity in {(one.location.mailbox, one.location.validity) for one in messages}:
        here = {one.location.uid: sha256_of(one) for one in messages if one.location.validity == validity}
        for uid, state in tx.messages.renumber(mailbox, validity, here).items():
            found[MessageLocation(mailbox=mailbox, validity=validity, uid=uid)] = state
    return found


def sha256_of(message: Message) -> str:
    return hashlib.sha256(message.raw).hexdigest()
