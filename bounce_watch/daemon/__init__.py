"""The service: it keeps mailboxes open, works when there is something to do, stops or reloads when told."""

from bounce_watch.daemon.loop import Ending, Service
from bounce_watch.daemon.mailbox_thread import MailboxOutcome, MailboxThread
from bounce_watch.daemon.retry import MAX_PAUSE, back_off, is_temporary
from bounce_watch.daemon.signals import Stopped, Stopper
from bounce_watch.daemon.systemd import notify
from bounce_watch.daemon.work import CycleWork

__all__ = [
    "MAX_PAUSE",
    "CycleWork",
    "Ending",
    "MailboxOutcome",
    "MailboxThread",
    "Service",
    "Stopped",
    "Stopper",
    "back_off",
    "is_temporary",
    "notify",
]
