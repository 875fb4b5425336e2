"""What `explain` says of the guide's codes and of replies whose code has several meanings.

A change of row, owner or step shows up as a difference. `BOUNCE_WATCH_ACCEPT=1` writes missing files; one
that is there is never overwritten: delete it first.
"""

import os
import re
from pathlib import Path

import pytest

from bounce_watch.classify import Explanation, explain
from bounce_watch.model import Owner
from tests.classify.reports import CATALOGUE

GOLDEN = Path(__file__).parent / "golden"

# The codes of the guide's table (5.7.501 to 5.7.503 are one row there) and the owner of the first meaning.
CODES = {
    "5.1.1": Owner.SENDER,
    "5.1.10": Owner.SENDER,
    "5.1.8": Owner.SECURITY,
    "5.2.2": Owner.RECIPIENT_ADMIN,
    "4.4.7": Owner.RECIPIENT_ADMIN,
    "5.4.1": Owner.SENDER,
    "5.7.1": Owner.RECIPIENT_ADMIN,
    "5.7.57": Owner.MAIL_ADMIN,
    "5.7.23": Owner.MAIL_ADMIN,
    "5.7.501": Owner.SECURITY,
    "5.7.502": Owner.SECURITY,
    "5.7.503": Owner.SECURITY,
    "5.7.506": Owner.MAIL_ADMIN,
    "5.7.508": Owner.MAIL_ADMIN,
    "5.3.4": Owner.SENDER,
}
REPLIES = {
    "5.2.2-submission": ("550 5.2.2 SubmissionQuotaExceededException", Owner.MAIL_ADMIN),
    "5.2.2-full": ("550 5.2.2 STOREDRV.Deliver: mailbox full", Owner.RECIPIENT_ADMIN),
    "5.4.1-edge": ("550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", Owner.SENDER),
    "5.4.1-relay": ("550 5.4.1 Relay access denied", Owner.RECIPIENT_ADMIN),
    "5.7.1-rule": ("550 5.7.1 TRANSPORT.RULES.RejectMessage; rejected by policy", Owner.RECIPIENT_ADMIN),
    "5.7.1-inside-only": (
        "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required",
        Owner.RECIPIENT_ADMIN,
    ),
    "5.7.1-relay": ("550 5.7.1 Unable to relay", Owner.MAIL_ADMIN),
    "5.7.1-blocklist": ("550 5.7.1 host [192.0.2.7] blocked using zen.spamhaus.org", Owner.MAIL_ADMIN),
    "5.7.1-spam": ("550 5.7.1 This looks like spam to us", Owner.SENDER),
    "5.1.8-account": ("550 5.1.8 Access denied, bad outbound sender AS(42004)", Owner.SECURITY),
    "5.1.8-domain": ("501 5.1.8 Sender address rejected: Domain not found", Owner.MAIL_ADMIN),
    "5.1.10-null-mx": ("556 5.1.10 Recipient address has null MX", Owner.SENDER),
    "4.3.2-throttled": ("432 4.3.2 STOREDRV; recipient thread limit exceeded", Owner.NOBODY),
    "4.3.2-full": ("554 4.3.2 mailbox busy; MapiExceptionMaxObjsExceeded", Owner.RECIPIENT_ADMIN),
    "5.7.13-disabled": ("550 5.7.13 STOREDRV.Deliver; AccountDisabledException", Owner.RECIPIENT_ADMIN),
    "5.7.13-folder": ("550 5.7.13 public folder: sender not authenticated", Owner.RECIPIENT_ADMIN),
    "5.0.350-header": (
        "550 5.0.350 Remote server returned an error -> 550 x-dg-ref header is too long",
        Owner.SENDER,
    ),
    "5.7.350-spam": (
        "550 5.7.350 Remote server returned message detected as spam -> 554 5.7.1 refused",
        Owner.SENDER,
    ),
}
CASES = {**{code: (code, owner) for code, owner in CODES.items()}, **REPLIES}


def written(asked: str, meanings: tuple[Explanation, ...]) -> str:
    """Return the first meaning in full and the others by name."""
    first, *others = meanings
    lines = [
        asked,
        f"{first.name}: {first.title}",
        first.meaning,
        f"cause {first.cause}, {first.persistence}",
        f"owner {first.owner}, on our side {first.owner_ours}",
        f"playbook {first.playbook}",
        f"because {first.why}",
        *(f"sender {place}: {step}" for place, step in enumerate(first.sender_steps, 1)),
        *(f"admin {place}: {step}" for place, step in enumerate(first.admin_steps, 1)),
        f"source {first.source}",
        *(f"also {other.name}: {other.title} ({other.owner})" for other in others),
    ]
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("name", CASES)
def test_an_explanation_is_as_it_was(name: str) -> None:
    asked, owner = CASES[name]
    meanings = explain(CATALOGUE, asked)
    content, golden = written(asked, meanings), GOLDEN / f"{name}.txt"
    if not golden.exists() and os.environ.get("BOUNCE_WATCH_ACCEPT"):
        golden.write_text(content, encoding="utf-8")
    assert meanings[0].owner is owner
    assert meanings[0].sender_steps or meanings[0].admin_steps
    assert golden.exists(), f"{golden.name} is missing; BOUNCE_WATCH_ACCEPT=1 writes it"
    assert content == golden.read_text(encoding="utf-8")


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_every_step_is_a_whole_sentence(name: str) -> None:
    for meaning in explain(CATALOGUE, CASES[name][0]):
        for step in (*meaning.sender_steps, *meaning.admin_steps):
            assert re.search(r"[.?!]$", step), step
