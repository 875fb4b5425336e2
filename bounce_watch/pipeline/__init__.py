"""The only composer: bytes of a mail become rows, findings and letters; one cycle runs the whole house."""

from bounce_watch.pipeline.context import House, open_house
from bounce_watch.pipeline.cycle import attend, look, run_cycle
from bounce_watch.pipeline.digest import make_digest
from bounce_watch.pipeline.ingest.message import Intake, take_in
from bounce_watch.pipeline.outbox.deliver import deliver
from bounce_watch.pipeline.result import CycleResult

__all__ = [
    "CycleResult",
    "House",
    "Intake",
    "attend",
    "deliver",
    "look",
    "make_digest",
    "open_house",
    "run_cycle",
    "take_in",
]
