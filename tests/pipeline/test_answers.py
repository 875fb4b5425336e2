"""Replies to our messages: a colleague's reaches support, an admin's changes the incident, no other does."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bounce_watch.model import Edition, IncidentState, LetterKind
from bounce_watch.model.incident import Incident
from bounce_watch.pipeline.digest import gather
from bounce_watch.pipeline.maintenance import forget
from bounce_watch.store import OutboxEntry
from bounce_watch.store.privacy.identity import PersonIdentity
from tests.pipeline.conftest import START, Home, every_text, ndr
from tests.replies import CLIENTS, INTERNAL, LANGUAGES, WORDS, Answered, reply

pytestmark = pytest.mark.slow

LENA, HELP = "lena@larkfield.example", "helpdesk@larkfield.example"
SECURITY = "security@larkfield.example"
BLOCKED = "550 5.1.8 Access denied, bad outbound sender AS(42004)"


REPLIES = 'settle_seconds = 0\nreply_to = "bounces@larkfield.example"\nper_minute = 1000\nper_hour = 1000'


@pytest.fixture
def site(open_home: Callable[..., Home]) -> Home:
    """A site that reads replies."""
    support = f'support = "Help desk, {HELP}, phone 4455"'
    return open_home(('support = "phone 4455"', support), ("settle_seconds = 0", REPLIES))


def letter(home: Home) -> Answered:
    """Let a mail of Lena's bounce; return the letter that she got."""
    home.deliver(ndr(LENA, "ann@fabrikam.example"), "1")
    home.look()
    return Answered.of(mail_to(home, LENA))


def alert(home: Home) -> Answered:
    home.deliver(ndr("jonas@larkfield.example", number=7, reply=BLOCKED, status="5.1.8", remote=None), "7")
    home.look()
    return Answered.of(mail_to(home, SECURITY))


def mail_to(home: Home, address: str) -> bytes:
    return next(mail for mail in reversed(home.sent()) if f"\nTo: {address}\r".encode() in mail)


def written(home: Home, kind: LetterKind) -> list[OutboxEntry]:
    return [entry for entry in home.context.store.outbox.list() if entry.kind is kind]


def answer(home: Home, content: bytes, name: str = "answer") -> None:
    home.clock.now += timedelta(minutes=1)
    home.deliver(content, name)
    home.look()


def incident(home: Home) -> Incident:
    return home.context.store.incidents.show(1).incident


def test_a_letter_names_the_mailbox_that_reads_replies_and_says_so(site: Home) -> None:
    letter(site)
    assert b"\r\nReply-To: bounces@larkfield.example\r\n" in mail_to(site, LENA)
    assert "Our IT team reads replies." in " ".join(written(site, LetterKind.REPLY)[0].preview.split())


def test_without_a_known_mailbox_nothing_is_promised(home: Home) -> None:
    assert letter(home)
    assert b"\r\nReply-To" not in mail_to(home, LENA)
    assert "Replies aren't monitored." in " ".join(written(home, LetterKind.REPLY)[0].preview.split())
    alert(home)
    assert "You can also reply" not in written(home, LetterKind.ALERT)[0].preview


def test_a_colleagues_words_reach_support_with_what_was_advised(site: Home) -> None:
    sent = letter(site)
    answer(site, reply(sent, words="I called.\n\nAnn left. https://evil.example/x {{7*7}} =?utf-8?q?x?="))
    (question,) = written(site, LetterKind.QUESTION)
    assert question.recipient == HELP
    assert "I called." in question.preview
    assert "hxxps[:]//evil[.]example/x {{7*7}}" in question.preview
    assert "Compare the address" in question.preview
    assert "bounce-watch show 1" in question.preview
    assert f"\r\nReply-To: {LENA}\r\n".encode() in mail_to(site, HELP)
    assert "answer" in {path.name.partition(":")[0] for path in site.filed()}


def test_the_words_of_each_program_and_language_arrive(site: Home) -> None:
    kinds = [(client, language) for client in CLIENTS for language in LANGUAGES]
    sent = letters(site, len(kinds))
    for number, (client, language) in enumerate(kinds):
        html = client.startswith("outlook") and language in ("de", "fr")
        content = reply(sent[number], client=client, language=language, html_only=html)
        site.deliver(content, f"answer{number}")
    site.look()
    previews = [
        " ".join(one.preview.replace("\n> ", "\n").split()) for one in written(site, LetterKind.QUESTION)
    ]
    wanted = [" ".join(WORDS[language].replace("\n", "\n ").split()) for _, language in kinds]
    assert len(previews) == len(kinds)
    missing = [
        kinds[place] for place, words in enumerate(wanted) if not any(words in one for one in previews)
    ]
    assert missing == []


def letters(home: Home, count: int) -> list[Answered]:
    """Let a mail of each of so many people bounce; return their letters."""
    for number in range(count):
        raw = ndr(f"colleague{number}@larkfield.example", f"ann@firm{number}.example", number=number)
        home.deliver(raw, f"ndr{number}")
    home.look()
    sent = {one.to: one for one in map(Answered.of, home.sent())}
    return [sent[f"colleague{number}@larkfield.example"] for number in range(count)]


def test_the_same_reply_read_again_or_copied_is_passed_on_once(site: Home) -> None:
    content = reply(letter(site))
    for name in ("a", "b", "c"):
        answer(site, content, name)
    assert len(written(site, LetterKind.QUESTION)) == 1
    assert site.waiting() == []


def test_one_letter_takes_five_replies(site: Home) -> None:
    sent = letter(site)
    for number in range(9):
        site.deliver(reply(sent, number=number, words=f"Number {number}"), f"answer{number}")
    site.look()
    assert len(written(site, LetterKind.QUESTION)) == 5
    assert site.context.store.summary.stats().withheld == {"person_limit": 4}


def test_a_reply_that_quotes_the_bounce_is_no_report(site: Home) -> None:
    sent = letter(site)
    before = site.context.store.summary.stats().bounces
    quoted = "Undeliverable: Offer\n550 5.1.10 RESOLVER.ADR.RecipientNotFound; ann@fabrikam.example not found"
    answer(site, reply(Answered(**{**_values(sent), "text": quoted})))
    assert site.context.store.summary.stats().bounces == before
    assert len(written(site, LetterKind.QUESTION)) == 1


def _values(sent: Answered) -> dict[str, str]:
    return {name: getattr(sent, name) for name in ("message_id", "references", "subject", "text", "to")}


def test_an_alert_says_what_a_reply_can_do(site: Home) -> None:
    alert(site)
    preview = " ".join(written(site, LetterKind.ALERT)[0].preview.split())
    assert "You can also reply. First line: ack, silence 8h, resolve, or a note." in preview


def test_ack_acknowledges_in_the_readers_name_and_is_confirmed(site: Home) -> None:
    answer(site, reply(alert(site), client="outlook-phone", language="de", words="Ack"))
    assert incident(site).acknowledged_by == SECURITY
    (line,) = written(site, LetterKind.CONFIRMATION)
    assert "INC-1 is acknowledged; the reminders end." in line.preview
    assert line.recipient == SECURITY
    assert b"In-Reply-To: <answer.1." in mail_to(site, SECURITY)


def test_silence_lasts_as_long_as_the_reply_says(site: Home) -> None:
    answer(site, reply(alert(site), words="silence 8h: Jonas is on holiday"))
    assert incident(site).silenced_until == site.clock.now + timedelta(hours=8)
    assert site.context.store.incidents.show(1).changes[-1].note.endswith("Jonas is on holiday")


def test_resolve_closes_the_incident_and_gives_the_all_clear(site: Home) -> None:
    answer(site, reply(alert(site), words="resolve: password reset"))
    assert incident(site).state is IncidentState.RESOLVED
    assert f"Resolved by {SECURITY}: password reset" in written(site, LetterKind.ALERT)[0].preview
    sent = Answered.of(next(mail for mail in site.sent() if b"Kind: alert" in mail))
    answer(site, reply(sent, words="ack", number=2), "late")
    assert "closed already" in written(site, LetterKind.CONFIRMATION)[0].preview


def test_other_words_become_a_note(site: Home) -> None:
    answer(site, reply(alert(site), words="I am calling Jonas.\n\nSent from my phone"))
    change = site.context.store.incidents.show(1).changes[-1]
    assert (change.change, change.by, change.note) == ("note", SECURITY, "I am calling Jonas.")


def test_what_is_not_understood_is_answered_once_and_changes_nothing(site: Home) -> None:
    sent = alert(site)
    before = incident(site)
    for number in range(3):
        answer(site, reply(sent, words="silence for ever", number=number), f"answer{number}")
    (line,) = written(site, LetterKind.CONFIRMATION)
    assert "wasn't understood and changed nothing" in " ".join(line.preview.split())
    assert incident(site) == before


def test_a_command_read_twice_is_done_once(site: Home) -> None:
    content = reply(alert(site), words="note once")
    for name in ("a", "b"):
        answer(site, content, name)
    assert [one.note for one in site.context.store.incidents.show(1).changes].count("once") == 1


def test_a_reply_to_a_confirmation_or_a_question_does_nothing(site: Home) -> None:
    answer(site, reply(alert(site), words="ack"))
    answer(site, reply(Answered.of(mail_to(site, SECURITY)), words="resolve", number=2), "second")
    assert incident(site).state is IncidentState.OPEN
    sent = letter(site)
    answer(site, reply(sent), "third")
    answer(site, reply(Answered.of(mail_to(site, HELP)), number=3), "fourth")
    assert len(written(site, LetterKind.QUESTION)) == 1
    assert len(written(site, LetterKind.CONFIRMATION)) == 1


def test_the_account_that_an_incident_suspects_changes_nothing(open_home: Callable[..., Home]) -> None:
    """Whoever reads the mailbox may be the intruder."""
    both = 'security = ["security@larkfield.example", "jonas@larkfield.example"]'
    home = open_home(('security = ["security@larkfield.example"]', both))
    alert(home)
    sent = Answered.of(mail_to(home, "jonas@larkfield.example"))
    answer(home, reply(sent, words="resolve"))
    assert incident(home).state is IncidentState.OPEN
    assert written(home, LetterKind.CONFIRMATION) == []


def test_none_switches_replies_off(open_home: Callable[..., Home]) -> None:
    home = open_home(("settle_seconds = 0", 'settle_seconds = 0\nreply_to = "none"'))
    answer(home, reply(letter(home), client="apple-mail"))
    assert written(home, LetterKind.QUESTION) == []
    assert [path.name for path in home.waiting()] == ["answer"]


def test_without_a_support_address_the_admins_get_the_words(home: Home) -> None:
    answer(home, reply(letter(home)))
    assert [one.recipient for one in written(home, LetterKind.QUESTION)] == ["mailadmin@larkfield.example"]


AUTOMATIC = (
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-generated",
    "Precedence: bulk",
    "Precedence: auto_reply",
    "List-Id: <all.larkfield.example>",
    "X-Autoreply: yes",
    "X-Autorespond: Re: yours",
    "X-Auto-Response-Suppress: All",
    "X-Loop: tickets",
    "Feedback-ID: 1:shop",
    "Return-Path: <>",
    "X-MS-Exchange-Inbox-Rules-Loop: lena@larkfield.example",
)


def test_an_automatic_reply_does_nothing(site: Home) -> None:
    for number, sent in enumerate(letters(site, len(AUTOMATIC))):
        site.deliver(reply(sent, headers=(INTERNAL, AUTOMATIC[number])), f"answer{number}")
    site.look()
    assert written(site, LetterKind.QUESTION) == []


FORGED: tuple[tuple[tuple[str, ...], str | None], ...] = (
    ((), None),
    ((INTERNAL, INTERNAL), None),
    (("X-MS-Exchange-Organization-AuthAs: Anonymous",), None),
    (("X-MS-Exchange-CrossTenant-AuthAs: Internal",), None),
    ((INTERNAL,), "eve@evil.example"),
    ((INTERNAL,), "tom@larkfield.example"),
    ((INTERNAL, "From: <tom@larkfield.example>"), None),
    ((INTERNAL, "Authentication-Results: spf=fail; dkim=none; dmarc=fail"), None),
)
"""Headers and author of replies that are not proved to be the reader's."""


def test_a_reply_that_is_not_proved_to_be_the_readers_does_nothing(site: Home) -> None:
    for number, sent in enumerate(letters(site, len(FORGED))):
        headers, author = FORGED[number]
        site.deliver(reply(sent, headers=headers, author=author), f"answer{number}")
    site.look()
    assert written(site, LetterKind.QUESTION) == []


def test_a_guessed_mark_or_that_of_a_letter_that_never_left_does_nothing(
    open_home: Callable[..., Home],
) -> None:
    home = open_home(('mode = "on"', 'mode = "preview"'))
    home.deliver(ndr(LENA, "ann@fabrikam.example"), "1")
    home.look()
    number = written(home, LetterKind.REPLY)[0].id
    held = Answered.of(home.context.store.outbox.show(number)[1])
    answer(home, reply(held))
    guessed = f"<bw.{'0' * 16}.{'0' * 24}@larkfield.example>"
    content = reply(Answered(**{**_values(held), "message_id": guessed, "references": guessed, "text": ""}))
    answer(home, content, "guessed")
    assert written(home, LetterKind.QUESTION) == []


def test_a_third_message_in_vain_is_told_to_support_once(site: Home) -> None:
    letter(site)
    told = []
    for number in range(2, 7):
        site.clock.now += timedelta(days=2)
        site.deliver(ndr(LENA, "ann@fabrikam.example", number=number, at=site.clock.now), f"ndr{number}")
        site.look()
        told.append(len(written(site, LetterKind.QUESTION)))
    assert told == [0, 0, 1, 1, 1]
    (question,) = written(site, LetterKind.QUESTION)
    text = " ".join(question.preview.split())
    assert f"{LENA} wrote to ann@fabrikam.example 3 times in 30 days after our advice" in text
    assert "the address doesn't exist" in text


def test_what_is_no_third_message_in_vain_is_not_told(site: Home) -> None:
    """Another report on the same message, another recipient, another person, and a month later."""
    letter(site)
    for days, sender, recipient, same in (
        *((1, LENA, "ann@fabrikam.example", True), (2, LENA, "ann@fabrikam.example", False)),
        *(
            (3, LENA, "bob@fabrikam.example", False),
            (4, "tom@larkfield.example", "ann@fabrikam.example", False),
        ),
        *((5, LENA, "ann@fabrikam.example", False), (40, LENA, "ann@fabrikam.example", False)),
    ):
        site.clock.now = START + timedelta(days=days)
        number = 1 if same else days + 10
        raw = ndr(sender, recipient, number=number, at=site.clock.now)
        site.deliver(raw.replace(b"<report.1@", b"<report.x@"), f"ndr{days}")
        site.look()
    assert written(site, LetterKind.QUESTION) == []


def test_the_monthly_digest_names_advice_that_did_not_help(site: Home) -> None:
    letters(site, 24)
    for number in range(9):
        site.clock.now += timedelta(hours=1)
        raw = ndr(f"colleague{number}@larkfield.example", f"ann@firm{number}.example", at=site.clock.now)
        site.deliver(raw.replace(b".1@", b".%d@" % (number + 100)), f"again{number}")
    site.look()
    site.clock.now += timedelta(days=16)
    for edition, expected in ((Edition.WEEKLY, 0), (Edition.MONTHLY, 1)):
        digest = gather(site.config, site.context.store, site.clock.now, edition=edition)
        assert len(digest.unhelpful) == expected
    text = " ".join(site.context.composer.digest(digest, event_key="x", to=HELP).text.split())
    assert "ADVICE THAT DIDN'T HELP" in text
    assert "9 of 24 (95% interval: 21% to 57%)" in text


def test_the_words_are_exported_to_their_author_and_forgotten(site: Home) -> None:
    answer(site, reply(letter(site), words="My own secret words."))
    store, person = site.context.store, PersonIdentity(LENA)
    rows = dict(store.privacy.export(person, store.privacy.search(person)))
    assert "My own secret words." in rows["mails"]["text"]
    assert rows["mails"]["recipient"] != HELP
    forget(store, person, store.privacy.search(person), by="admin", now=site.clock.now)
    everything = "\n".join(every_text(site))
    assert "secret words" not in everything
    assert LENA not in everything
