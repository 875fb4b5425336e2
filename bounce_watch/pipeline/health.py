"""How the service itself is doing, in sentences for the digest."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bounce_watch.model import Health, OutboxState
from bounce_watch.store import StoreQueries

STALE_AFTER = timedelta(hours=6)


def health(store: StoreQueries, now: datetime) -> tuple[Health, ...]:
    """Return one line for each part that an admin would ask about."""
    return (*_mailbox(store, now), *_sending(store), *_waiting(store))


def _mailbox(store: StoreQueries, now: datetime) -> Iterator[Health]:
    troubles = store.mailboxes.troubles()
    for mailbox, trouble in troubles.items():
        text = f"{mailbox} cannot be read since {trouble.since:%d %b %H:%M} UTC: {trouble.why[:200]}"
        yield Health(name="Mailbox", state="failure", text=text)
    fetched = store.mailboxes.last_success_fetch_at()
    if fetched is None:
        yield Health(name="Mailbox", state="warning", text="not read yet")
    elif now - fetched > STALE_AFTER:
        hours = int((now - fetched).total_seconds() // 3600)
        yield Health(
            name="Mailbox", state="failure", text=f"last read {hours} hours ago; see the service's log"
        )
    elif not troubles:
        yield Health(name="Mailbox", state="ok", text="read without a fault")


def _sending(store: StoreQueries) -> Iterator[Health]:
    stopped = store.state.sending_stopped()
    if stopped is not None:
        yield Health(name="Sending", state="failure", text=f"stopped: {stopped.why[:200]}")
    unknown = store.summary.count_outbox().get(OutboxState.UNKNOWN, 0)
    if unknown:
        text = f"{unknown} mails may or may not have left: bounce-watch outbox list --state unknown"
        yield Health(name="Sending", state="warning", text=text)
    if stopped is None and not unknown:
        yield Health(name="Sending", state="ok", text="nothing is stuck")


def _waiting(store: StoreQueries) -> Iterator[Health]:
    latched = store.state.breaker_latched_at()
    if latched is not None:
        text = f"stopped since {latched:%d %b %H:%M} UTC, too many were due: bounce-watch breaker status"
        yield Health(name="Replies", state="failure", text=text)
    held = store.summary.count_outbox().get(OutboxState.HELD, 0)
    if held:
        text = f"{held} answers wait for release: bounce-watch outbox list --state held"
        yield Health(name="Outbox", state="warning", text=text)
