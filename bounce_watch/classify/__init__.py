"""Judge a report: cause, owner, side and trust level. Pure functions."""

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.catalogue.load import load_catalogue
from bounce_watch.classify.catalogue.row import CatalogueError, Confidence, Row
from bounce_watch.classify.evidence import assess_evidence, decision_in
from bounce_watch.classify.explain import Explanation, explain
from bounce_watch.classify.judge import judge, judge_again, judge_reply
