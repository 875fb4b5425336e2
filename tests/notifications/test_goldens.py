"""Letters as they are: a change of wording or layout shows up as a difference.

`BOUNCE_WATCH_ACCEPT=1` writes missing files; one that is there is never overwritten: delete it first.
"""

import os
from pathlib import Path

import pytest

from bounce_watch import shipped_files
from bounce_watch.model import Cause, Letter, Owner, Side
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.rendering.templates import Templates

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


# One cause of each family: what failed, who acts, and which steps differ.
FAMILIES = {
    Cause.RECIPIENT_UNKNOWN: Owner.SENDER,
    Cause.DOMAIN_NOT_FOUND: Owner.SENDER,
    Cause.MAILBOX_FULL: Owner.RECIPIENT_ADMIN,
    Cause.MESSAGE_TOO_LARGE: Owner.SENDER,
    Cause.SPAM_DETECTED: Owner.SENDER,
    Cause.VIRUS_DETECTED: Owner.SECURITY,
    Cause.SPF_FAILED: Owner.MAIL_ADMIN,
    Cause.TENANT_BLOCKED: Owner.MAIL_ADMIN,
    Cause.SENDER_BLOCKED: Owner.SECURITY,
    Cause.SENDER_QUOTA_EXCEEDED: Owner.SENDER,
    Cause.NOT_AUTHORISED: Owner.RECIPIENT_ADMIN,
    Cause.MESSAGE_EXPIRED: Owner.SENDER,
    Cause.GREYLISTED: Owner.NOBODY,
    Cause.UNKNOWN: Owner.PROVIDER,
}


def shown(letter: Letter) -> str:
    return f"Subject: {letter.subject}\n\n{letter.text.partition('-' * 20)[0].rstrip()}\n"


@pytest.mark.parametrize("language", Templates([shipped_files.templates()]).languages)
def test_each_family_of_causes_reads_as_it_did_in_each_language(composer: Composer, language: str) -> None:
    bounces = {cause: template_samples.bounce(cause, owner, Side.OURS) for cause, owner in FAMILIES.items()}
    letters = [
        composer.reply(template_samples.reply_facts(one, language=language)) for one in bounces.values()
    ]
    letters.append(composer.notice(template_samples.notice_facts(language)))
    compare(f"letters.{language}.txt", f"\n{'=' * 72}\n".join(map(shown, letters)))


@pytest.mark.parametrize("form", ["txt", "html"])
@pytest.mark.parametrize(
    "name", ["reply-recipient-unknown", "reply-sender-blocked", "alert-account-takeover", "digest"]
)
def test_a_letter_is_as_it_was(composer: Composer, name: str, form: str) -> None:
    letter = letters(composer)[name]
    content = f"Subject: {letter.subject}\n\n{letter.text}" if form == "txt" else letter.html
    compare(f"{name}.{form}", content)


def compare(name: str, content: str) -> None:
    golden = GOLDEN / name
    if not golden.exists() and os.environ.get("BOUNCE_WATCH_ACCEPT"):
        golden.write_text(content, encoding="utf-8")
    assert golden.exists(), f"{golden.name} is missing; BOUNCE_WATCH_ACCEPT=1 writes it"
    assert content == golden.read_text(encoding="utf-8")
