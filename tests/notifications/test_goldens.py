"""Four letters as they are: a change of wording or layout shows up as a difference.

`BOUNCE_WATCH_ACCEPT=1` writes missing files; one that is there is never overwritten: delete it first.
"""

import os
from pathlib import Path

import pytest

from bounce_watch.model import Cause, Letter, Owner, Side
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.composer import Composer

GOLDEN = Path(__file__).parent / "golden"


def letters(composer: Composer) -> dict[str, Letter]:
    unknown = template_samples.bounce(Cause.RECIPIENT_UNKNOWN, Owner.SENDER)
    blocked = template_samples.bounce(Cause.SENDER_BLOCKED, Owner.SECURITY, Side.OURS)
    return {
        "reply-recipient-unknown": composer.reply(template_samples.reply_facts(unknown)),
        "reply-sender-blocked": composer.reply(template_samples.reply_facts(blocked)),
        "alert-account-takeover": composer.alert(template_samples.alert_facts()),
        "digest": composer.digest(template_samples.digest(), event_key="x", to="admin@contoso.example"),
    }


@pytest.mark.parametrize("form", ["txt", "html"])
@pytest.mark.parametrize(
    "name", ["reply-recipient-unknown", "reply-sender-blocked", "alert-account-takeover", "digest"]
)
def test_a_letter_is_as_it_was(composer: Composer, name: str, form: str) -> None:
    letter = letters(composer)[name]
    content = f"Subject: {letter.subject}\n\n{letter.text}" if form == "txt" else letter.html
    golden = GOLDEN / f"{name}.{form}"
    if not golden.exists() and os.environ.get("BOUNCE_WATCH_ACCEPT"):
        golden.write_text(content, encoding="utf-8")
    assert golden.exists(), f"{golden.name} is missing; BOUNCE_WATCH_ACCEPT=1 writes it"
    assert content == golden.read_text(encoding="utf-8")
