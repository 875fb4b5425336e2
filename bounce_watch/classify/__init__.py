"""Judge a report: cause, who must act, whose server refused, how far it may be believed. Pure functions."""

from bounce_watch.classify.catalogue import load_catalogue
from bounce_watch.classify.errors import CatalogueError
from bounce_watch.classify.evidence import Weighed, weigh
from bounce_watch.classify.explain import Explanation, explain
from bounce_watch.classify.index import Catalogue
from bounce_watch.classify.judge import judge
from bounce_watch.classify.row import Confidence, Namespace, Row

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Confidence",
    "Explanation",
    "Namespace",
    "Row",
    "Weighed",
    "explain",
    "judge",
    "load_catalogue",
    "weigh",
]
