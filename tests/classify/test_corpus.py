"""Sample bounces, ours and public ones: the catalogue gives nearly all of them a cause."""

import json
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bounce_watch.classify import judge
from bounce_watch.model import Action, Bounce, Cause, Report
from bounce_watch.model.dead_address import VERDICTS, Sign, find_dead
from bounce_watch.parse import read
from tests.classify.reports import CATALOGUE

SAMPLES = Path(__file__).parents[1] / "samples"
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
EXPECTED = CORPUS / "expected.jsonl"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def failed_bounces(mails: Iterable[Path]) -> Iterator[Bounce]:
    readings = (reading for mail in mails for reading in read(mail.read_bytes()))
    reports = (reading for reading in readings if isinstance(reading, Report))
    for report in reports:
        yield from (bounce for bounce in judge(report, CATALOGUE, None) if bounce.action is Action.FAILED)


def share_unknown(bounces: list[Bounce]) -> float:
    return sum(bounce.cause is Cause.UNKNOWN for bounce in bounces) / len(bounces)


def test_few_failed_bounces_of_our_samples_end_as_unknown() -> None:
    """Some of them show only a form, with a reply that names no cause; `unknown` is about reading alone."""
    mails = [mail for mail in sorted(SAMPLES.rglob("*.eml")) if mail.parent.name != "unknown"]
    bounces = list(failed_bounces(mails))
    assert len(bounces) > 150
    assert share_unknown(bounces) < 0.12


@pytest.mark.corpus
@pytest.mark.skipif(not EXPECTED.is_file(), reason="the public sample bounces are not on this machine")
def test_few_failed_bounces_of_the_world_end_as_unknown() -> None:
    """What the catalogue cannot name stays unknown; more than 3 in 100 would mean that it is too small."""
    lines = EXPECTED.read_text(encoding="utf-8").splitlines()
    bounces = list(failed_bounces(CORPUS / json.loads(line)["path"] for line in lines))
    unknown = [bounce.diagnostic_code for bounce in bounces if bounce.cause is Cause.UNKNOWN]
    assert len(bounces) > 400
    assert share_unknown(bounces) < 0.03, unknown


def sign_of(bounce: Bounce) -> Sign:
    """Return what two bounces like this one, two months apart, say about its address."""
    return Sign(
        recipient=bounce.recipient,
        sender=bounce.sender,
        cause=bounce.cause,
        certainty=bounce.certainty,
        persistence=bounce.persistence,
        side=bounce.side,
        owner=bounce.owner,
        messages=5,
        first_at=NOW - timedelta(days=60),
        last_at=NOW,
        newest=1,
    )


@pytest.mark.corpus
@pytest.mark.skipif(not EXPECTED.is_file(), reason="the public sample bounces are not on this machine")
def test_no_address_of_the_world_is_dead_for_a_cause_on_our_side() -> None:
    """The labels say which causes are right for a bounce; one of them must be about the address."""
    usual = tomllib.loads((CORPUS / "reasons.toml").read_text(encoding="utf-8"))
    wrong, dead = [], 0
    for label in map(json.loads, EXPECTED.read_text(encoding="utf-8").splitlines()):
        right = {
            one["recipient"].lower(): set(one.get("causes") or usual.get(one["reason"], ["*"]))
            for one in label["bounces"]
            if one.get("reason") and one["recipient"]
        }
        for bounce in failed_bounces([CORPUS / label["path"]]):
            causes = right.get(bounce.recipient.lower(), {"*"})
            if causes != {"*"} and find_dead([sign_of(bounce)], {}):
                dead += 1
                wrong += [] if causes & set(VERDICTS) else [(label["path"], causes, bounce.diagnostic_code)]
    print(f"{dead} dead addresses, {len(wrong)} of them for a cause that is not about the address")
    assert dead > 100
    assert wrong == []
