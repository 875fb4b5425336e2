"""Repeat alert mails in chat rooms: best effort, because only mail is promised.

Each room has a mark: the newest alert it was notified of. A message that fails is retried at the next polls
for an hour; then it is skipped, because old alarms do not help.
"""

from datetime import timedelta

import structlog

from bounce_watch.config.secrets import SecretError, chat_lookup
from bounce_watch.config.service import Chat
from bounce_watch.notifications.composer import chat_text
from bounce_watch.pipeline.context import Context
from bounce_watch.send.chat import ChatUnavailable, Room
from bounce_watch.store import OutboxEntry

PATIENCE = timedelta(hours=1)

log = structlog.get_logger()


def notify_room(context: Context, chat: Chat) -> int:
    """Post the alerts that are new to a room; return how many messages it accepted."""
    mark = context.store.state.chat_mark(chat.name)
    waiting = context.store.outbox.alerts_after(mark) if mark is not None else ()
    if mark is None:  # a new room gets no old alerts
        _set_mark(context, chat, context.store.outbox.newest())
    if not waiting:
        return 0
    try:
        room = Room(chat_lookup(chat).read())
    except (SecretError, ChatUnavailable) as error:
        log.error("chat room unusable", room=chat.name, why=str(error), repair=error.repair)
        return 0
    return _post(context, chat, room, waiting)


def _post(context: Context, chat: Chat, room: Room, waiting: tuple[OutboxEntry, ...]) -> int:
    """Post each event once, however many admins got a mail about it."""
    posted: set[tuple[int, str]] = set()
    for entry in waiting:
        is_recent = context.clock() - entry.created_at < PATIENCE
        if entry.incident is not None and is_recent and (entry.incident, entry.subject) not in posted:
            incident = context.store.incidents.show(entry.incident).incident
            if incident.finding.owner in chat.owners:
                if not room.say(*chat_text(entry.subject, incident)):
                    log.warning("chat room did not take a message", room=chat.name, incident=entry.incident)
                    return len(posted)
                posted.add((entry.incident, entry.subject))
        _set_mark(context, chat, entry.id)
    return len(posted)


def _set_mark(context: Context, chat: Chat, number: int) -> None:
    with context.store.transaction() as tx:
        tx.state.note_chat(chat.name, number)
