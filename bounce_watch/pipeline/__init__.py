"""The only composer: bytes of a mail become rows, findings and letters; one cycle runs every step."""

from bounce_watch.pipeline.context import Context, open_context
from bounce_watch.pipeline.cycle import check_mailbox, run_cycle, run_due_work
from bounce_watch.pipeline.digest import make_digest
from bounce_watch.pipeline.ingest.message import IngestedMessage, ingest_messages
from bounce_watch.pipeline.outbox.deliver import deliver
from bounce_watch.pipeline.result import CycleResult

__all__ = [
    "Context",
    "CycleResult",
    "IngestedMessage",
    "check_mailbox",
    "deliver",
    "ingest_messages",
    "make_digest",
    "open_context",
    "run_cycle",
    "run_due_work",
]
