"""The service: it watches the mailboxes, does what is due, and stops or reloads at a signal."""

from bounce_watch.daemon.loop import Ending, Service
from bounce_watch.daemon.mailbox_thread import MailboxOutcome, MailboxThread
from bounce_watch.daemon.retry import MAX_PAUSE, back_off
from bounce_watch.daemon.signals import Stopper, StopTimeout
from bounce_watch.daemon.work import CycleWork
