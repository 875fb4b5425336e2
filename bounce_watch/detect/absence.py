"""The shape absence: no reports although some are usual at these hours of the week."""

from datetime import datetime, timedelta

from bounce_watch.detect.baseline import Baseline
from bounce_watch.detect.rule import TENANT, Rule
from bounce_watch.model import Finding

MIN_GAP, MAX_GAP = timedelta(hours=6), timedelta(hours=72)
MISSED = 20.0
"""Number of usual reports without which a silence of MIN_GAP counts."""
MISSED_LONG = 8.0
"""The same for a silence of MAX_GAP: a site with few bounces is not warned at each quiet weekend."""


def find_silence(
    rule: Rule, learned: Baseline, last: datetime, now: datetime, key: str = TENANT
) -> Finding | None:
    """Return a finding if no report came since `last`, None if that is usual or too little is known.

    A `gap` of the rule replaces what was learned.
    """
    gap = now - last
    if rule.gap is not None:
        is_silent = gap > rule.gap
    else:
        missed = learned.expected(last, now) if gap >= MIN_GAP else 0.0
        is_silent = learned.knows_enough(rule.usual) and (
            missed >= MISSED or (gap >= MAX_GAP and missed >= MISSED_LONG)
        )
    if not is_silent:
        return None
    return Finding(
        rule_id=rule.id,
        key=key,
        title=rule.title,
        severity=rule.severity,
        owner=rule.owner,
        playbook=rule.playbook,
        first_at=last,
        last_at=last,
    )
