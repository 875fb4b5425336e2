"""The shape absence: no messages for longer than usual."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bounce_watch.detect.rule import TENANT, Rule
from bounce_watch.model import Finding

MIN_GAP, MAX_GAP = timedelta(hours=6), timedelta(hours=72)
MAX_ARRIVALS = 2_000
"""Maximum number of arrivals from which the usual gap is learned."""


def max_usual_gap(rule: Rule, arrivals: Sequence[datetime]) -> timedelta | None:
    """Return the gap after which the incoming bounces count as missing, None for too little history.

    Unless the rule has a `gap`, it is three times the 99th percentile of the gaps, 6 to 72 hours.
    """
    if rule.gap is not None:
        return rule.gap if arrivals else None
    ordered = sorted(arrivals)
    is_known = len(ordered) >= rule.usual.events and ordered[-1] - ordered[0] >= rule.usual.learn
    if not is_known:
        return None
    gaps = sorted(later - earlier for earlier, later in pairwise(ordered))
    usual = gaps[min(len(gaps) - 1, int(len(gaps) * 0.99))]
    return max(MIN_GAP, min(MAX_GAP, 3 * usual))


def find_silence(rule: Rule, arrivals: Sequence[datetime], now: datetime) -> Finding | None:
    """Return a finding if no messages come, None if they do or too little is known."""
    gap = max_usual_gap(rule, arrivals)
    if gap is None or now - max(arrivals) <= gap:
        return None
    return Finding(
        rule_id=rule.id,
        key=TENANT,
        title=rule.title,
        severity=rule.severity,
        owner=rule.owner,
        playbook=rule.playbook,
        first_at=max(arrivals),
        last_at=max(arrivals),
    )
