"""Chat rooms hear what the alert mails say. Best effort: mail is what we promise.

A room's mark is the newest alert it was told of. A message that fails is tried again at the next look for an
hour; then the room stays behind, for old alarms help nobody.
"""

from datetime import timedelta

import structlog

from bounce_watch.config.secrets import SecretError, chat_url
from bounce_watch.config.service import Chat
from bounce_watch.notifications.composer import chat_text
from bounce_watch.pipeline.context import House
from bounce_watch.send.chat import ChatUnavailable, Room
from bounce_watch.store import OutboxEntry

PATIENCE = timedelta(hours=1)

log = structlog.get_logger()


def tell_rooms(house: House) -> int:
    """Tell every room of the alerts it has not heard of; return how many messages were taken."""
    return sum(_tell_room(house, chat) for chat in house.config.alerts.chat)


def _tell_room(house: House, chat: Chat) -> int:
    mark = house.store.chat_mark(chat.name)
    waiting = house.store.alerts_after(mark) if mark is not None else ()
    if mark is None:  # a new room hears of what comes, not of what was
        _remember(house, chat, house.store.newest_outgoing())
    if not waiting:
        return 0
    try:
        room = Room(chat_url(chat))
    except (SecretError, ChatUnavailable) as error:
        log.error("chat room unusable", room=chat.name, why=str(error), repair=error.repair)
        return 0
    return _tell(house, chat, room, waiting)


def _tell(house: House, chat: Chat, room: Room, waiting: tuple[OutboxEntry, ...]) -> int:
    """Tell of each event once, however many admins have a mail about it."""
    said: set[tuple[int | None, str]] = set()
    for entry in waiting:
        event = (entry.incident, entry.subject)
        if event not in said and _concerns(house, chat, entry):
            fresh = house.clock() - entry.created_at < PATIENCE
            if fresh and not _say(house, room, entry):
                log.warning("chat room did not take a message", room=chat.name, incident=entry.incident)
                return len(said)
            if fresh:
                said.add(event)
        _remember(house, chat, entry.id)
    return len(said)


def _concerns(house: House, chat: Chat, entry: OutboxEntry) -> bool:
    if entry.incident is None:
        return False
    return house.store.incident(entry.incident).incident.finding.owner in chat.owners


def _say(house: House, room: Room, entry: OutboxEntry) -> bool:
    incident = house.store.incident(entry.incident or 0).incident
    return room.say(*chat_text(entry.subject, incident))


def _remember(house: House, chat: Chat, number: int) -> None:
    with house.store.transaction() as tx:
        tx.note_chat(chat.name, number)
