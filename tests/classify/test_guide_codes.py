"""Every code of the troubleshooting guide, corrected where vendor pages show that it errs."""

import pytest

from bounce_watch.classify import explain
from bounce_watch.model import EXCHANGE_ONLINE_DECIDES, Cause, Owner
from tests.classify.reports import CATALOGUE, refused, refused_by_us

GUIDE = [
    ("550 5.1.1 Bad destination mailbox address", Cause.RECIPIENT_UNKNOWN, Owner.SENDER),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", Cause.RECIPIENT_UNKNOWN, Owner.SENDER),
    ("550 5.1.8 Access denied, bad outbound sender AS(42004)", Cause.SENDER_BLOCKED, Owner.SECURITY),
    ("550 5.2.2 Submission quota exceeded", Cause.SENDER_QUOTA_EXCEEDED, Owner.MAIL_ADMIN),
    ("550 5.2.2 Mailbox full", Cause.MAILBOX_FULL, Owner.RECIPIENT_ADMIN),
    ("550 4.4.7 QUEUE.Expired; message expired", Cause.MESSAGE_EXPIRED, Owner.RECIPIENT_ADMIN),
    ("550 5.4.1 Relay access denied", Cause.RELAY_DENIED, Owner.RECIPIENT_ADMIN),
    (
        "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
        Cause.RECIPIENT_UNKNOWN,
        Owner.SENDER,
    ),
    ("550 5.7.1 Delivery not authorized, message refused", Cause.NOT_AUTHORISED, Owner.RECIPIENT_ADMIN),
    ("550 5.7.1 Unable to relay", Cause.RELAY_DENIED, Owner.MAIL_ADMIN),
    ("530 5.7.57 SMTP; Client was not authenticated", Cause.CLIENT_NOT_AUTHENTICATED, Owner.MAIL_ADMIN),
    ("550 5.7.23 SPF validation failed", Cause.SPF_FAILED, Owner.MAIL_ADMIN),
    ("550 5.7.501 Access denied, spam abuse detected", Cause.SENDER_BANNED, Owner.SECURITY),
    ("550 5.7.502 Access denied, banned sender", Cause.SENDER_BANNED, Owner.SECURITY),
    ("550 5.7.503 Access denied, banned sender", Cause.SENDER_BANNED, Owner.SECURITY),
    ("550 5.7.506 Access Denied, Bad HELO", Cause.BAD_HELO, Owner.MAIL_ADMIN),
    ("550 5.7.507 Access denied, rejected by recipient", Cause.BLOCKED_REPUTATION, Owner.RECIPIENT_ADMIN),
    (
        "550 5.7.508 Access denied, IPv6 range has exceeded permitted limits",
        Cause.IPV6_RATE_LIMITED,
        Owner.MAIL_ADMIN,
    ),
    ("552 5.3.4 Message size exceeds fixed limit", Cause.MESSAGE_TOO_LARGE, Owner.SENDER),
]


@pytest.mark.parametrize(("text", "cause", "owner"), GUIDE, ids=[row[0][:40] for row in GUIDE])
def test_a_code_of_the_guide_gives_its_cause_and_owner(text: str, cause: Cause, owner: Owner) -> None:
    """The words alone carry the codes, as in a report without machine-readable part."""
    bounce = (refused_by_us if cause in EXCHANGE_ONLINE_DECIDES else refused)(text)
    assert (bounce.cause, bounce.owner) == (cause, owner)


@pytest.mark.parametrize(("text", "cause", "owner"), GUIDE, ids=[row[0][:40] for row in GUIDE])
def test_the_same_words_mean_the_same_from_our_own_exchange(text: str, cause: Cause, owner: Owner) -> None:
    """Who must act may differ by side, the cause of these codes does not."""
    assert refused_by_us(text).cause is cause
    assert owner in Owner


@pytest.mark.parametrize(
    ("code", "cause", "title"),
    [
        ("5.7.507", Cause.BLOCKED_REPUTATION, "recipient's organization blocks"),
        ("5.7.508", Cause.IPV6_RATE_LIMITED, "IPv6"),
        ("5.2.2", Cause.MAILBOX_FULL, "full"),
        ("5.1.10", Cause.RECIPIENT_UNKNOWN, "not known there"),
        ("5.4.1", Cause.RECIPIENT_UNKNOWN, "directory"),
    ],
)
def test_where_the_guide_errs_the_corrected_meaning_comes_first(code: str, cause: Cause, title: str) -> None:
    first = explain(CATALOGUE, code)[0]
    assert first.cause is cause
    assert title in first.title


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("5.1.90", Cause.SENDER_QUOTA_EXCEEDED),
        ("5.7.232", Cause.TENANT_QUOTA_EXCEEDED),
        ("5.7.233", Cause.TENANT_QUOTA_EXCEEDED),
        ("5.7.236", Cause.TENANT_QUOTA_EXCEEDED),
        ("5.7.703", Cause.POLICY_REJECTED),
        ("5.7.705", Cause.TENANT_BLOCKED),
        ("5.7.708", Cause.TENANT_BLOCKED),
        ("5.7.750", Cause.TENANT_BLOCKED),
        ("5.7.800", Cause.BLOCKED_REPUTATION),
        ("5.7.124", Cause.NOT_AUTHORISED),
        ("5.7.129", Cause.NOT_AUTHORISED),
        ("5.7.133", Cause.NOT_AUTHORISED),
        ("5.7.134", Cause.NOT_AUTHORISED),
        ("5.7.135", Cause.NOT_AUTHORISED),
        ("5.7.136", Cause.NOT_AUTHORISED),
        ("5.7.509", Cause.DMARC_FAILED),
        ("5.7.515", Cause.AUTHENTICATION_FAILED),
        ("5.7.520", Cause.FORWARDING_DISABLED),
        ("5.4.14", Cause.MAIL_LOOP),
        ("5.4.310", Cause.DOMAIN_NOT_FOUND),
        ("5.4.316", Cause.MESSAGE_EXPIRED),
        ("5.2.121", Cause.RATE_LIMITED),
        ("5.2.122", Cause.RATE_LIMITED),
        ("4.4.317", Cause.TLS_FAILURE),
        ("4.7.321", Cause.TLS_FAILURE),
        ("4.7.325", Cause.TLS_FAILURE),
    ],
)
def test_a_code_that_the_guide_leaves_out_is_known(code: str, cause: Cause) -> None:
    assert explain(CATALOGUE, code)[0].cause is cause
