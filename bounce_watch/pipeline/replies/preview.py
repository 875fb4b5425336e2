"""Preview the reply to a report: its addressee and the result of each check; nothing is written."""

from dataclasses import dataclass
from datetime import datetime

from bounce_watch.config.models import Config
from bounce_watch.config.owners import find_owner
from bounce_watch.model import Bounce, Evidence, JudgedReport, Report
from bounce_watch.notifications.gate.check import check, examine
from bounce_watch.notifications.gate.values import Past, Reason, Refused
from bounce_watch.pipeline.context import policy_of
from bounce_watch.pipeline.outbox.enqueue import past_of
from bounce_watch.pipeline.replies.owners import goes_to_owner
from bounce_watch.pipeline.replies.reply import addressee_of, candidate_of
from bounce_watch.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPreview:
    """`outcome` is `allowed`, `held` or the reason of the refusal; `checks` tells which checks refuse.

    `with_history`: mail written before was considered, which needs a store.
    """

    to: str | None
    outcome: str
    checks: tuple[tuple[Reason, bool], ...]
    with_history: bool


def preview_reply(
    config: Config,
    report: Report,
    bounces: tuple[Bounce, ...],
    *,
    evidence: Evidence | None,
    received_at: datetime | None,
    store: Store | None,
    now: datetime,
) -> ReplyPreview | None:
    """Check the reply that a report asks for at the gate; None when nothing in it failed.

    Without the store's secret every mark of our form counts as ours.
    """
    judged = JudgedReport(
        report_id=0, report=report, bounces=bounces, evidence=evidence, received_at=received_at
    )
    if not judged.failed:
        return None
    own_marks = frozenset(report.original.own_marks).union(*(layer.own_marks for layer in report.provenance))
    owner = find_owner(config.owners_now({}), addressee_of(judged))
    candidate = candidate_of(judged, None, own_marks.__contains__, owner)
    past = Past() if store is None else past_of(store, candidate, now)
    policy = policy_of(config)
    verdict = check(candidate, past, policy, now)
    outcome = verdict.reason.value if isinstance(verdict, Refused) else "held" if verdict.hold else "allowed"
    if goes_to_owner(candidate, owner, policy, now):
        outcome = Reason.OWNER_TOLD.value
    return ReplyPreview(
        to=candidate.to,
        outcome=outcome,
        checks=examine(candidate, past, policy, now),
        with_history=store is not None,
    )
