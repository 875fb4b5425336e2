"""The shape absence: nothing comes in any more, for longer than it ever did by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bounce_watch.detect.rule import TENANT, Rule
from bounce_watch.model import Finding

SHORTEST, LONGEST = timedelta(hours=6), timedelta(hours=72)
MOST_ARRIVALS = 2_000
"""Arrivals that a gap is learned from."""


def longest_usual_gap(rule: Rule, arrivals: Sequence[datetime]) -> timedelta | None:
    """Return the silence after which the feed counts as broken, None while too little is known.

    Without a `gap` of the rule it is three times the gap that one in a hundred exceeds, 6 to 72 hours.
    """
    if rule.gap is not None:
        return rule.gap if arrivals else None
    ordered = sorted(arrivals)
    known = len(ordered) >= rule.usual.events and ordered[-1] - ordered[0] >= rule.usual.learn
    if not known:
        return None
    gaps = sorted(later - earlier for earlier, later in pairwise(ordered))
    usual = gaps[min(len(gaps) - 1, int(len(gaps) * 0.99))]
    return max(SHORTEST, min(LONGEST, 3 * usual))


def find_silence(rule: Rule, arrivals: Sequence[datetime], now: datetime) -> Finding | None:
    """Return that the feed is silent, None when it is not or when we cannot tell yet."""
    gap = longest_usual_gap(rule, arrivals)
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
        messages=0,
        senders=(),
        recipient_domains=(),
        statuses=(),
        events=(),
    )
