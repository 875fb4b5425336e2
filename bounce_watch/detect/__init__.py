"""Find incidents: rule shapes over sliding windows of event time. The rules are rows of `data/rules.toml`."""

from bounce_watch.detect.absence import MOST_ARRIVALS, find_silence
from bounce_watch.detect.baseline import Baseline, find_unusual, learn
from bounce_watch.detect.evaluate import evaluate, is_quiet, key_of
from bounce_watch.detect.inhibition import find_explanation, related
from bounce_watch.detect.replay import Replayed, replay
from bounce_watch.detect.rule import TENANT, Condition, Facet, Minimum, Rule, RuleError, Shape, Usual
from bounce_watch.detect.rules import load_rules

__all__ = [
    "MOST_ARRIVALS",
    "TENANT",
    "Baseline",
    "Condition",
    "Facet",
    "Minimum",
    "Replayed",
    "Rule",
    "RuleError",
    "Shape",
    "Usual",
    "evaluate",
    "find_explanation",
    "find_silence",
    "find_unusual",
    "is_quiet",
    "key_of",
    "learn",
    "load_rules",
    "related",
    "replay",
]
