"""The service: it keeps mailboxes open, works when there is something to do, stops or reloads when told."""

from bounce_watch.daemon.loop import Ending, Service
from bounce_watch.daemon.mailbox_thread import Looked, Mailbox
from bounce_watch.daemon.retry import LONGEST_PAUSE, back_off, may_pass
from bounce_watch.daemon.signals import Stopped, Stopper
from bounce_watch.daemon.systemd import notify
from bounce_watch.daemon.work import CycleWork

__all__ = [
    "LONGEST_PAUSE",
    "CycleWork",
    "Ending",
    "Looked",
    "Mailbox",
    "Service",
    "Stopped",
    "Stopper",
    "back_off",
    "may_pass",
    "notify",
]
