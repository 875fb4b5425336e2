"""The only composer: bytes of a mail become rows, findings and letters; one cycle runs the whole house."""

from bounce_watch.pipeline.cycle import attend, look, run_cycle
from bounce_watch.pipeline.delivery import deliver
from bounce_watch.pipeline.digesting import make_digest
from bounce_watch.pipeline.house import House, open_house
from bounce_watch.pipeline.intake import Intake, take_in
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
