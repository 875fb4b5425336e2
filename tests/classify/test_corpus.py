"""Public sample bounces: the causes that the catalogue gives them, scored in place."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bounce_watch.classify import judge
from bounce_watch.model import Action, Bounce, Cause, Report
from bounce_watch.parse import read
from tests.classify.reports import CATALOGUE

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
EXPECTED = CORPUS / "expected.jsonl"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not EXPECTED.is_file(), reason="the public sample bounces are not on this machine"),
]


def failed_bounces() -> Iterator[Bounce]:
    paths = [json.loads(line)["path"] for line in EXPECTED.read_text(encoding="utf-8").splitlines()]
    readings = (reading for path in paths for reading in read((CORPUS / path).read_bytes()))
    reports = (reading for reading in readings if isinstance(reading, Report))
    for report in reports:
        yield from (bounce for bounce in judge(report, CATALOGUE, None) if bounce.action is Action.FAILED)


def test_few_failed_bounces_of_the_world_end_as_unknown() -> None:
    """What the catalogue cannot name stays unknown; more than 3 in 100 would mean that it is too small."""
    bounces = list(failed_bounces())
    unknown = [bounce.diagnostic_code for bounce in bounces if bounce.cause is Cause.UNKNOWN]
    assert len(bounces) > 400
    assert len(unknown) < 0.03 * len(bounces), unknown
