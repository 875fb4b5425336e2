"""Genuine reports of Postfix and Exim, read in place."""

from pathlib import Path

import pytest

from bounce_watch.model import Report
from bounce_watch.parse import read

FULL, NOBODY, GREY = "full@fabrikam.test", "nouser@fabrikam.test", "grey@fabrikam.test"
POLICY, FULL5, SPF, DMARC = (
    "policy@fabrikam.test",
    "full5@fabrikam.test",
    "spf@fabrikam.test",
    "dmarc@fabrikam.test",
)

# name: (kind, sender, {recipient: (action, status, reply code)})
EXPECTED = {
    "exim-expired-5.0.0-diag-4.2.2-over-quota": ("failure", "alice", {FULL: ("failed", "4.2.2", "452")}),
    "exim-expired-5.0.0-diag-4.7.1-greylisting": ("failure", "alice", {GREY: ("failed", "4.7.1", "451")}),
    "exim-failed-5.0.0-diag-5.1.1-multiline": (
        "failure",
        "alice",
        {"multi@fabrikam.test": ("failed", "5.1.1", "550")},
    ),
    "exim-failed-5.0.0-diag-5.1.10": ("failure", "alice", {NOBODY: ("failed", "5.1.10", "550")}),
    "exim-failed-5.0.0-diag-5.2.2-mailbox-full": ("failure", "alice", {FULL5: ("failed", "5.2.2", "552")}),
    "exim-failed-5.0.0-diag-5.7.1-blocklist": ("failure", "alice", {POLICY: ("failed", "5.7.1", "550")}),
    "exim-failed-5.0.0-diag-5.7.23-spf": ("failure", "alice", {SPF: ("failed", "5.7.23", "550")}),
    "exim-failed-5.0.0-diag-5.7.509-dmarc": ("failure", "alice", {DMARC: ("failed", "5.7.509", "550")}),
    "exim-failed-5.0.0-no-enhanced-code": (
        "failure",
        "alice",
        {"nocode@fabrikam.test": ("failed", "5.0.0", "550")},
    ),
    "exim-failed-5.0.0-three-recipients": (
        "failure",
        "bob",
        {
            NOBODY: ("failed", "5.1.10", "550"),
            FULL5: ("failed", "5.2.2", "552"),
            POLICY: ("failed", "5.7.1", "550"),
        },
    ),
    "postfix-delayed-4.4.1-connection-refused": (
        "delay",
        "alice",
        {"x@dead.test": ("delayed", "4.4.1", None)},
    ),
    "postfix-delayed-4.7.1-greylisting": ("delay", "alice", {GREY: ("delayed", "4.7.1", "451")}),
    "postfix-expired-4.2.2-over-quota": ("failure", "alice", {FULL: ("failed", "4.2.2", "452")}),
    "postfix-expired-4.4.1-connection-refused": (
        "failure",
        "alice",
        {"x@dead.test": ("failed", "4.4.1", None)},
    ),
    "postfix-expired-4.7.1-after-delay-warning": ("failure", "alice", {GREY: ("failed", "4.7.1", "451")}),
    "postfix-expired-4.7.1-greylisting": ("failure", "alice", {GREY: ("failed", "4.7.1", "451")}),
    "postfix-failed-5.0.0-no-enhanced-code": (
        "failure",
        "alice",
        {"nocode@fabrikam.test": ("failed", "5.0.0", "550")},
    ),
    "postfix-failed-5.1.1-multiline-reply": (
        "failure",
        "alice",
        {"multi@fabrikam.test": ("failed", "5.1.1", "550")},
    ),
    "postfix-failed-5.1.10-headers-only-orcpt": ("failure", "alice", {NOBODY: ("failed", "5.1.10", "550")}),
    "postfix-failed-5.1.10-unknown-recipient": ("failure", "alice", {NOBODY: ("failed", "5.1.10", "550")}),
    "postfix-failed-5.2.2-mailbox-full": ("failure", "alice", {FULL5: ("failed", "5.2.2", "552")}),
    "postfix-failed-5.3.4-too-large": ("failure", "alice", {"ok@fabrikam.test": ("failed", "5.3.4", None)}),
    "postfix-failed-5.4.4-host-not-found": ("failure", "alice", {"x@nohost.test": ("failed", "5.4.4", None)}),
    "postfix-failed-5.7.1-blocklist": ("failure", "alice", {POLICY: ("failed", "5.7.1", "550")}),
    "postfix-failed-5.7.23-spf-wrapped": ("failure", "alice", {SPF: ("failed", "5.7.23", "550")}),
    "postfix-failed-5.7.509-dmarc": ("failure", "alice", {DMARC: ("failed", "5.7.509", "550")}),
    "postfix-failed-three-recipients": (
        "failure",
        "bob",
        {
            FULL5: ("failed", "5.2.2", "552"),
            NOBODY: ("failed", "5.1.10", "550"),
            POLICY: ("failed", "5.7.1", "550"),
        },
    ),
    "postfix-relayed-2.0.0-success": (
        "success",
        "carol",
        {"fine@fabrikam.test": ("relayed", "2.0.0", "250")},
    ),
}


@pytest.mark.corpus
@pytest.mark.parametrize("name", EXPECTED)
def test_a_genuine_report_is_read_right(name: str, shared: Path) -> None:
    kind, sender, recipients = EXPECTED[name]
    (report,) = read((shared / "reference" / "mta-samples" / f"{name}.eml").read_bytes())
    assert isinstance(report, Report)
    assert (report.kind, report.original.sender) == (kind, f"{sender}@contoso.test")
    assert report.original.message_id is not None
    found = {e.final_recipient: (e.action, e.status, e.reply_code) for e in report.recipients}
    assert found == recipients


@pytest.mark.corpus
def test_every_genuine_report_has_expected_values(shared: Path) -> None:
    assert {mail.stem for mail in (shared / "reference" / "mta-samples").glob("*.eml")} == set(EXPECTED)


@pytest.mark.corpus
def test_details_of_a_report_with_envelope_id_and_wrapped_reply(shared: Path) -> None:
    """The rarer fields: Original-Envelope-Id, another Original-Recipient, an inner reply, retry until."""
    folder = shared / "reference" / "mta-samples"
    (moved,) = read((folder / "postfix-failed-5.1.10-headers-only-orcpt.eml").read_bytes())
    assert isinstance(moved, Report)
    assert moved.original_envelope_id == "abc123"
    assert moved.recipients[0].original_recipient == "n.user@old.test"
    (wrapped,) = read((folder / "postfix-failed-5.7.23-spf-wrapped.eml").read_bytes())
    assert isinstance(wrapped, Report)
    assert (wrapped.recipients[0].remote_status, wrapped.recipients[0].remote_reply_code) == ("5.7.23", "550")
    (late,) = read((folder / "postfix-delayed-4.7.1-greylisting.eml").read_bytes())
    assert isinstance(late, Report)
    assert late.recipients[0].will_retry_until is not None
