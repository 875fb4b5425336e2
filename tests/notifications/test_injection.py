"""Canaries through every field of every letter: nothing is run, linked, or left unescaped."""

import re
import unicodedata
from dataclasses import fields, replace
from html.parser import HTMLParser
from typing import Any

import pytest

from bounce_watch.model import Bounce, Cause, Count, Finding, Health, Letter, Owner
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.facts import AlertFacts, OrganisationProfile

CANARIES = {
    "expression": "{{7*7}}{{ self }}",
    "statement": "{% for x in range(9) %}Q{% endfor %}{# gone #}",
    "line-break": "a\r\nBcc: victim@fabrikam.example",
    "encoded-word": "=?utf-8?q?a=0D=0ABcc:_v@x.example?=",
    "script": "<script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)" x="',
    "anchor": '<a href="http://evil.example">click</a>',
    "image": '<img src="https://evil.example/x.png">',
    "comment": "--><style>*{display:none}</style><!--",
    "style": "</style><b>x</b>",
    "link": "see http://evil.example/login and www.evil.example",
    "javascript": "javascript:alert(1)",
    "escape": "a\x1b[31m\x1b]8;;http://evil.example\x07x",
    "bidi": "a\u202egpj.exe\u2066x\u200b",
    "separators": "a\u2028b\x85c\x00d",
    "surrogate": "a\udcffb",
    "powershell": "x'; Remove-Mailbox *; '\u2019; rm *",
}
BOUNCE_FIELDS = [
    *("recipient", "sender", "status", "reply_code", "original_recipient", "recipient_decoded"),
    *("remote_mta", "diagnostic_code", "remote_status", "remote_reply_code", "entry", "why"),
    *("catalogue", "proven"),
]
FACT_FIELDS = ["mail_subject", "mail_id", "language", "incident"]
FINDING_FIELDS = ["title", "key", "rule_id", "playbook", "senders", "recipient_domains", "statuses"]
DIGEST_FIELDS = ["senders", "domains", "causes", "owners", "withheld", "health"]
LINKS = ("https://learn.microsoft.com/", "https://testconnectivity.microsoft.com")


class _Seen(HTMLParser):
    """Collects what a mail client would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [
            value or "" for name, value in attrs if name in ("href", "src", "background", "action")
        ]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def assert_harmless(letter: Letter) -> None:
    seen = _Seen()
    seen.feed(letter.html)
    assert seen.tags <= {
        *("html", "head", "meta", "title", "style", "body", "table", "tbody", "tr", "td", "div", "span"),
        *("p", "h1", "h2", "h3", "br", "a"),
    }
    assert not {name for name in seen.attributes if name.startswith("on")}
    assert all(link.startswith(LINKS) for link in seen.links)
    assert letter.html.count("<style") == 1
    assert "49" not in letter.subject
    assert "QQQ" not in letter.text + letter.html
    assert "\n" not in letter.subject
    for text in (letter.subject, letter.text, "".join(seen.words)):
        assert not any(unicodedata.category(character) in ("Cf", "Cs") for character in text)
        assert not set(text.replace("\n", "")) & {"\x1b", "\x00", "\r", "\x85", "\u2028", "\x07"}
    assert not re.search(r"(?m)^Bcc:", letter.text)


@pytest.mark.parametrize("canary", CANARIES.values(), ids=list(CANARIES))
@pytest.mark.parametrize("field", BOUNCE_FIELDS + FACT_FIELDS)
def test_no_field_of_a_bounce_acts_in_a_reply(composer: Composer, field: str, canary: str) -> None:
    change: dict[str, Any] = {field: canary}
    bounce = template_samples.bounce(Cause.RECIPIENT_UNKNOWN, Owner.SENDER)
    facts = template_samples.reply_facts(bounce)
    if field in BOUNCE_FIELDS:
        facts = replace(facts, bounces=(replace(bounce, **change),))
    else:
        facts = replace(facts, **change)
    letter = composer.reply(facts)
    assert_harmless(letter)
    assert not re.search(r"(?i)https?:|www\.|evil\.example", letter.text + letter.html)
    assert letter.in_reply_to is None or field != "mail_id"


def test_every_text_field_of_a_bounce_is_tried() -> None:
    """A new field of the model must join the list above."""
    texts = {field.name for field in fields(Bounce) if "str" in str(field.type)}
    assert texts == set(BOUNCE_FIELDS)


@pytest.mark.parametrize("canary", CANARIES.values(), ids=list(CANARIES))
@pytest.mark.parametrize("field", FINDING_FIELDS)
def test_no_field_of_an_incident_acts_in_an_alert(composer: Composer, field: str, canary: str) -> None:
    incident = template_samples.incident("forwarding")
    value: Any = (canary,) if field in ("senders", "recipient_domains", "statuses") else canary
    finding: Finding = replace(incident.finding, **{field: value})
    letter = composer.alert(
        AlertFacts(event_key="x", to="a@b.example", incident=replace(incident, finding=finding))
    )
    assert_harmless(letter)


@pytest.mark.parametrize("canary", CANARIES.values(), ids=list(CANARIES))
@pytest.mark.parametrize("field", DIGEST_FIELDS)
def test_no_field_of_a_digest_acts(composer: Composer, field: str, canary: str) -> None:
    row: Any = (
        Health(name=canary, state=canary, text=canary) if field == "health" else Count(label=canary, now=3)
    )
    change: dict[str, Any] = {field: (row,)}
    letter = composer.digest(replace(template_samples.digest(), **change), event_key="x", to="a@b.example")
    assert_harmless(letter)


@pytest.mark.parametrize("canary", CANARIES.values(), ids=list(CANARIES))
def test_no_name_of_the_organisation_acts(composer: Composer, templates: Any, canary: str) -> None:
    """Configuration is ours, and cleaned all the same."""
    ours = Composer([templates], OrganisationProfile(name=canary, support=canary))
    assert_harmless(
        ours.reply(template_samples.reply_facts(template_samples.bounce(Cause.MAIL_LOOP, Owner.MAIL_ADMIN)))
    )
    assert_harmless(ours.alert(template_samples.alert_facts()))
