"""The draft to the recipient's admin: all that they need, nothing of ours beyond it."""

from dataclasses import replace
from typing import Any

import pytest

from bounce_watch.model import Cause, Details, Owner
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.guidance.postmaster_draft import DraftFacts, postmaster_draft
from bounce_watch.notifications.rendering.refusal_details import common_evidence, evidence_lines
from bounce_watch.notifications.rendering.templates import Templates
from tests.notifications.conftest import ROOT


def draft(cause: Cause = Cause.POLICY_REJECTED, **changes: Any) -> str:
    bounce = replace(template_samples.bounce(cause, Owner.RECIPIENT_ADMIN), **changes)
    facts = DraftFacts(
        bounce=bounce,
        sent_at=template_samples.NOW,
        message_id="<9f3a@contoso.example>",
        reporter="SERVER.prod.outlook.com",
    )
    return postmaster_draft(Templates([ROOT / "templates"]), template_samples.ORGANISATION, facts)


@pytest.mark.parametrize("cause", Cause)
def test_a_draft_is_complete_for_every_cause(cause: Cause) -> None:
    text = draft(cause)
    for part in (
        *("To: postmaster@fabrikam.example", "From:        mara@contoso.example", "lena@fabrikam.example"),
        *("Sent:        2026-11-24 06:00:00 UTC", "<9f3a@contoso.example>", "mx1.fabrikam.example"),
        *(
            "550 5.1.10",
            "RecipientNotFound",
            "What we ask",
            "The mail administrators of Contoso",
        ),
    ):
        assert part in text
    assert template_samples.ORGANISATION.support not in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_evidence_is_told() -> None:
    text = draft(details=Details(blocked_ip="192.0.2.7", blocklist="Spamhaus"))
    assert "- Blocked address: 192.0.2.7\n- Blocklist: Spamhaus\n" in text


def test_every_detail_has_a_line() -> None:
    everything = Details(
        blocked_ip="192.0.2.7", blocklist="Spamhaus", size_limit=1, message_size=2, spf_result="fail",
        spf_ip="192.0.2.8", spf_domain="a.example", dmarc_domain="b.example", rule="r",
        retry_until=template_samples.NOW, as_number="42004", last_attempted_ip="192.0.2.9",
        last_attempted_host="mx.example.net",
    )  # fmt: skip
    assert len(evidence_lines(everything)) == len(everything.as_mapping()) == 13


def test_the_commonest_evidence_comes_first() -> None:
    one, other = Details(blocklist="Spamhaus", blocked_ip="192.0.2.7"), Details(blocked_ip="192.0.2.7")
    assert common_evidence([one, other]) == ("Blocked address: 192.0.2.7 (2 times)", "Blocklist: Spamhaus")


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("http://evil.example/x", id="link"),
        pytest.param("x\r\nBcc: all@contoso.example", id="line break"),
        pytest.param("{{ 7*7 }} {% include 'x' %}", id="template"),
        pytest.param("\x1b[2J\u202emx", id="terminal"),
    ],
)
def test_a_hostile_value_acts_nowhere(hostile: str) -> None:
    text = draft(recipient=f"{hostile}@fabrikam.example", remote_mta=hostile, diagnostic_code=hostile)
    assert "http://" not in text
    assert "\nBcc:" not in text
    assert "49" not in text.replace("2026", "")
    assert "\x1b" not in text
    assert "\u202e" not in text
