"""Find incidents: rule shapes over sliding windows of event time. The rules are rows of `data/rules.toml`."""

from bounce_watch.detect.evaluate import evaluate, is_quiet, key_of
from bounce_watch.detect.rule import Condition, Facet, Minimum, Rule, RuleError, Shape
from bounce_watch.detect.rules import load_rules

__all__ = [
    "Condition",
    "Facet",
    "Minimum",
    "Rule",
    "RuleError",
    "Shape",
    "evaluate",
    "is_quiet",
    "key_of",
    "load_rules",
]
