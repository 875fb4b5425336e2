"""Guidance: every cause has kind, short, complete words."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bounce_watch.model import Bounce, Cause, Certainty, Owner, Side
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.guidance.letter import leading
from bounce_watch.notifications.rendering.labels import CAUSES, OWNERS, label_of
from bounce_watch.notifications.template_check import MAX_STEPS, MAX_WORDS, body_words, check_templates

# The owner that the catalogue usually gives to a cause decides nothing but the frame; any owner must work.
FREQUENT = [
    *(Cause.RECIPIENT_UNKNOWN, Cause.MAILBOX_FULL, Cause.MAILBOX_DISABLED, Cause.DOMAIN_NOT_FOUND),
    *(Cause.MESSAGE_EXPIRED, Cause.RELAY_DENIED, Cause.MESSAGE_TOO_LARGE, Cause.SPAM_DETECTED),
    *(Cause.NOT_AUTHORISED, Cause.SPF_FAILED, Cause.DMARC_FAILED, Cause.SENDER_BLOCKED),
    *(Cause.SENDER_BANNED, Cause.SENDER_QUOTA_EXCEEDED, Cause.BLOCKED_REPUTATION, Cause.CONTENT_REJECTED),
]


def reply_text(composer: Composer, *bounces: Bounce, incident: str | None = None) -> str:
    return composer.reply(template_samples.reply_facts(*bounces, incident=incident)).text


@pytest.mark.parametrize("owner", Owner)
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_short_text(composer: Composer, cause: Cause, owner: Owner) -> None:
    """Under 120 words for one recipient and for several, inside an incident and outside, on either side."""
    for side in Side:
        one = template_samples.bounce(cause, owner, side)
        other = template_samples.bounce(cause, owner, side, "tom.miller@adatum.example")
        for text in (reply_text(composer, one), reply_text(composer, one, other, incident="INC-7")):
            assert body_words(text) < MAX_WORDS
            assert 1 <= len(re.findall(r"(?m)^\d\. ", text)) <= MAX_STEPS


@pytest.mark.parametrize("cause", Cause)
def test_a_text_is_complete(composer: Composer, cause: Cause) -> None:
    """It names recipient, subject, local time and whom to ask; first what to do, then why."""
    letter = composer.reply(template_samples.reply_facts(template_samples.bounce(cause, Owner.SENDER)))
    flat = " ".join(letter.text.split())
    for part in ("lena@fabrikam.example", "“Offer for the new warehouse”", "Tue, Nov 24, 2026, 06:48"):
        assert part in flat
        assert part in letter.html
    assert template_samples.ORGANISATION.support in flat
    assert flat.index("What to do now") < flat.index("Why") < flat.index("Should you resend it?")
    assert letter.subject.startswith("Your email to lena@fabrikam.example wasn't delivered: ")
    assert not re.search(r"\{\{|\}\}|\{%|\bNone\b", letter.text + letter.html.partition("</style>")[2])


@pytest.mark.parametrize("cause", Cause)
def test_a_reply_holds_no_link_and_loads_nothing(composer: Composer, cause: Cause) -> None:
    html = composer.reply(template_samples.reply_facts(template_samples.bounce(cause, Owner.SENDER))).html
    assert not re.search(
        r"(?i)<(a|img|link|script|iframe|form|object)\b|href=|src=|url\(|@import|http:|https:", html
    )


def test_frequent_causes_have_words_of_their_own(templates: Path) -> None:
    texts = [(templates / "replies" / f"{cause}.j2").read_text(encoding="utf-8") for cause in FREQUENT]
    assert len(set(texts)) == len(FREQUENT)


@pytest.mark.slow
def test_nothing_is_wrong_with_the_shipped_templates(templates: Path, playbooks: dict[str, Playbook]) -> None:
    assert check_templates([templates], playbooks) == []


@pytest.mark.parametrize(
    "cause", [Cause.SENDER_BLOCKED, Cause.SENDER_BANNED, Cause.SPF_FAILED, Cause.TENANT_BLOCKED]
)
def test_a_problem_of_ours_is_in_good_hands(composer: Composer, cause: Cause) -> None:
    """Where admins must act, the colleague hears that they know, and is asked not to send again."""
    bounce = template_samples.bounce(cause, Owner.MAIL_ADMIN, Side.OURS)
    text = " ".join(reply_text(composer, bounce).split())
    assert "Our IT team has been notified" in text
    assert "Don't resend the email" in text


def test_a_remote_servers_word_never_says_what_our_it_team_or_our_system_did(composer: Composer) -> None:
    """Nobody was notified of one rejection, and a remote server knows nothing of our own system."""
    for cause in Cause:
        text = " ".join(
            reply_text(composer, template_samples.bounce(cause, Owner.MAIL_ADMIN, Side.THEIRS)).split()
        )
        assert "Our IT team" not in text, cause
        assert "Our mail system" not in text, cause


def test_a_blocked_account_is_told_how_to_change_the_password(composer: Composer) -> None:
    text = reply_text(composer, template_samples.bounce(Cause.SENDER_BLOCKED, Owner.SECURITY, Side.OURS))
    assert "Change your password only when support asks you to" in text


@pytest.mark.parametrize("cause", [Cause.UNKNOWN, Cause.REMOTE_SYSTEM_ERROR, Cause.POLICY_REJECTED])
def test_where_the_server_told_no_reason_the_reply_claims_none(composer: Composer, cause: Cause) -> None:
    """A bare code has a usual meaning, but it isn't knowledge; what our own servers mean, we know."""
    vague = replace(template_samples.bounce(cause, Owner.MAIL_ADMIN), certainty=Certainty.NOT_TOLD)
    letter = composer.reply(template_samples.reply_facts(vague))
    assert "gave no clear reason" in letter.subject
    assert "only a code that can mean many things" in " ".join(letter.text.split())
    assert body_words(letter.text) < MAX_WORDS
    for known in (replace(vague, certainty=Certainty.TOLD), replace(vague, side=Side.OURS)):
        assert "gave no clear reason" not in composer.reply(template_samples.reply_facts(known)).subject


def test_an_open_incident_is_named(composer: Composer) -> None:
    text = reply_text(
        composer, template_samples.bounce(Cause.SPF_FAILED, Owner.MAIL_ADMIN), incident="INC-12"
    )
    assert "INC-12" in text


def test_messages_with_one_cause_share_their_steps(composer: Composer) -> None:
    """Those with the cause of the first stand above its steps, the others in a group of their own."""

    def about(name: str, cause: Cause) -> ReplyFacts:
        return template_samples.reply_facts(
            template_samples.bounce(cause, Owner.SENDER, recipient=f"{name}@fabrikam.example")
        )

    unknown, full = Cause.RECIPIENT_UNKNOWN, Cause.MAILBOX_FULL
    more = (about("b", full), about("c", unknown), about("d", full), about("e", unknown))
    letter = composer.reply(replace(about("a", unknown), more=more))
    for content in (letter.text, letter.html):
        text = content.partition("Details for support")[0]
        named = re.findall(r"\b([a-e])@fabrikam\.example", text.partition("Hello")[2])
        assert "".join(named) == "acebd"
        assert text.count("Compare the address") == 1
        assert text.index("e@fabrikam") < text.index("Compare the address") < text.index("b@fabrikam")
    assert len(re.findall(r"(?m)^1\. ", letter.text)) == 2
    assert body_words(letter.text) < 2 * MAX_WORDS


def test_several_recipients_share_one_answer(composer: Composer) -> None:
    names = ["lena@fabrikam.example", "tom@adatum.example", "eva@litware.example", "jo@wingtip.example"]
    bounces = [
        template_samples.bounce(Cause.RECIPIENT_UNKNOWN, Owner.SENDER, recipient=name) for name in names
    ]
    letter = composer.reply(template_samples.reply_facts(*bounces))
    assert letter.subject == (
        "Your email to lena@fabrikam.example and 3 more wasn't delivered: these addresses don't exist"
    )
    flat = " ".join(letter.text.split())
    assert "lena@fabrikam.example, tom@adatum.example, eva@litware.example, and one more" in flat
    assert all(f"Recipient: {name}" in flat for name in names)


def test_recipients_with_other_causes_are_named_apart(composer: Composer) -> None:
    """The letter is about what the colleague's own house must do first; the rest gets a line each."""
    full = template_samples.bounce(Cause.MAILBOX_FULL, Owner.RECIPIENT_ADMIN, recipient="eva@litware.example")
    text = " ".join(
        reply_text(composer, full, template_samples.bounce(Cause.SPF_FAILED, Owner.MAIL_ADMIN)).split()
    )
    assert "eva@litware.example: the mailbox is full" in text
    assert "couldn't verify that we sent it" in text


def test_the_gravest_owner_leads() -> None:
    bounces = tuple(template_samples.bounce(Cause.UNKNOWN, owner) for owner in reversed(Owner))
    assert leading(bounces).owner is Owner.SECURITY


def test_the_most_frequent_cause_leads_among_equals() -> None:
    full = template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER)
    large = template_samples.bounce(Cause.MESSAGE_TOO_LARGE, Owner.SENDER)
    assert leading((full, large, large)).cause is Cause.MESSAGE_TOO_LARGE


def test_a_mail_without_subject_and_date_is_still_described(composer: Composer) -> None:
    facts = replace(
        template_samples.reply_facts(template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER)),
        mail_subject=None,
        mail_date=None,
    )
    assert "Your email didn't reach lena@fabrikam.example: the mailbox is full." in composer.reply(facts).text


def test_the_time_is_local_in_summer_too(composer: Composer) -> None:
    facts = replace(
        template_samples.reply_facts(template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER)),
        mail_date=datetime(2026, 7, 1, 22, 30, tzinfo=UTC),
    )
    assert "Thu, Jul 2, 2026, 00:30" in " ".join(composer.reply(facts).text.split())


def test_an_internal_entry_is_shown_readable(composer: Composer) -> None:
    """An IMCEAEX address is no address that a person could compare letter by letter."""
    stale = replace(
        template_samples.bounce(Cause.RECIPIENT_UNKNOWN, Owner.SENDER),
        recipient="IMCEAEX-_O=CONTOSO_OU=X_CN=LENA@contoso.example",
        recipient_decoded="/O=CONTOSO/OU=X/CN=LENA",
    )
    text = reply_text(composer, stale)
    assert "/O=CONTOSO/OU=X/CN=LENA" in text
    assert "IMCEAEX" not in text
    assert "delete the old suggestion" in " ".join(text.split())


@pytest.mark.parametrize("asked", ["xx", "xx-XX", "../en", "", "EN-GB", "deutsch!", None])
def test_a_language_that_we_lack_falls_back_to_english(composer: Composer, asked: str | None) -> None:
    facts = template_samples.reply_facts(
        template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER), language=asked
    )
    assert composer.reply(facts).language == "en"


def test_the_mail_is_answered_in_its_thread(composer: Composer) -> None:
    assert composer.reply(
        template_samples.reply_facts(template_samples.bounce(Cause.UNKNOWN, Owner.NOBODY))
    ).in_reply_to == ("<9f3a@contoso.example>")


def test_every_word_of_the_machine_has_plain_words() -> None:
    assert set(CAUSES) == set(Cause)
    assert set(OWNERS) == set(Owner)
    assert label_of("something_new") == "something new"
