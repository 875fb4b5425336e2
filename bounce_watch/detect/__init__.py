"""Find incidents: shapes of rules over sliding windows of event time. Rules are rows of `data/rules.toml`."""

from bounce_watch.detect.absence import MIN_GAP, find_silence
from bounce_watch.detect.backtest import Replayed, replay
from bounce_watch.detect.baseline import Baseline, find_unusual, learn
from bounce_watch.detect.inhibition import Explanations, related
from bounce_watch.detect.load_rules import load_rules
from bounce_watch.detect.rule import TENANT, Facet, Rule, RuleError, Shape, Usual
from bounce_watch.detect.threshold import adds_nothing, evaluate, is_quiet, key_of
