"""Chat rooms hear what the alert mails say. Best effort: mail is what we promise.

A room's mark is the newest alert it was told of. A message that fails is tried again at the next look for an
hour; then the room stays behind, for old alarms help nobody.
"""

from datetime import timedelta

import structlog

from bounce_watch.config.secrets import SecretError, chat_url
from bounce_watch.config.service import Chat
from bounce_watch.notifications.composer import chat_text
from bounce_watch.pipeline.context import Context
from bounce_watch.send.chat import ChatUnavailable, Room
from bounce_watch.store import OutboxEntry

PATIENCE = timedelta(hours=1)

log = structlog.get_logger()


def tell_rooms(context: Context) -> int:
    """Tell every room of the alerts it has not heard of; return how many messages were taken."""
    return sum(_tell_room(context, chat) for chat in context.config.alerts.chat)


def _tell_room(context: Context, chat: Chat) -> int:
    mark = context.store.state.chat_mark(chat.name)
    waiting = context.store.outbox.alerts_after(mark) if mark is not None else ()
    if mark is None:  # a new room hears of what comes, not of what was
        _remember(context, chat, context.store.outbox.newest())
    if not waiting:
        return 0
    try:
        room = Room(chat_url(chat))
    except (SecretError, ChatUnavailable) as error:
        log.error("chat room unusable", room=chat.name, why=str(error), repair=error.repair)
        return 0
    return _tell(context, chat, room, waiting)


def _tell(context: Context, chat: Chat, room: Room, waiting: tuple[OutboxEntry, ...]) -> int:
    """Tell of each event once, however many admins have a mail about it."""
    said: set[tuple[int | None, str]] = set()
    for entry in waiting:
        event = (entry.incident, entry.subject)
        if event not in said and _concerns(context, chat, entry):
            fresh = context.clock() - entry.created_at < PATIENCE
            if fresh and not _say(context, room, entry):
                log.warning("chat room did not take a message", room=chat.name, incident=entry.incident)
                return len(said)
            if fresh:
                said.add(event)
        _remember(context, chat, entry.id)
    return len(said)


def _concerns(context: Context, chat: Chat, entry: OutboxEntry) -> bool:
    if entry.incident is None:
        return False
    return context.store.incidents.show(entry.incident).incident.finding.owner in chat.owners


def _say(context: Context, room: Room, entry: OutboxEntry) -> bool:
    incident = context.store.incidents.show(entry.incident or 0).incident
    return room.say(*chat_text(entry.subject, incident))


def _remember(context: Context, chat: Chat, number: int) -> None:
    with context.store.transaction() as tx:
        tx.state.note_chat(chat.name, number)
