"""Compose all packages: the bytes of a message become rows, findings and mail; a cycle runs every step."""

from bounce_watch.pipeline.context import Context, open_context
from bounce_watch.pipeline.cycle import run_cycle, run_due_work
from bounce_watch.pipeline.digest import make_digest
from bounce_watch.pipeline.ingest.mailbox import check_mailbox
from bounce_watch.pipeline.ingest.message import ingest_messages
from bounce_watch.pipeline.outbox.deliver import deliver
from bounce_watch.pipeline.result import CycleResult
