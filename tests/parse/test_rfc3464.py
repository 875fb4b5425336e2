"""Delivery status parts in the dialects of the world."""

import pytest

from bounce_watch.model import Action, Kind
from bounce_watch.parse.fields import ReportFields, kind_of
from bounce_watch.parse.formats.rfc3464 import read_fields, read_groups

PER_MESSAGE = "Reporting-MTA: dns; mail.example.org\n"


def only(fields: ReportFields | None) -> tuple[str | None, str | None, str | None, str | None]:
    assert fields is not None
    (entry,) = fields.recipients
    return entry.final_recipient, entry.action, entry.status, entry.reply_code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "\n\n"
            + PER_MESSAGE
            + "\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n\n\n",
            ("a@b.example", "failed", "5.1.1", None),
            id="empty groups before and after",
        ),
        pytest.param(
            "Action: failed\nStatus: 5.1.1 (no such user)\nFinal-Recipient: a@B.example\n\n" + PER_MESSAGE,
            ("a@b.example", "failed", "5.1.1", None),
            id="recipient group first, no address type, comment in the status",
        ),
        pytest.param(
            PER_MESSAGE + "Final-Recipient: rfc822;<A@b.example>\nAction: Failed\nStatus: 5.1.1\n",
            ("A@b.example", "failed", "5.1.1", None),
            id="no blank line between the groups",
        ),
        pytest.param(
            PER_MESSAGE + "\nFinal-Recipient: rfc822;a@b.example\n\nAction: failed\nStatus: 5.1.1\n",
            ("a@b.example", "failed", "5.1.1", None),
            id="blank line inside the recipient group",
        ),
        pytest.param(
            "Original-Recipient: <a@b.example>\nAction: failed\nDiagnostic-Code: smtp; 550 no such user\n",
            ("a@b.example", "failed", None, "550"),
            id="original recipient only",
        ),
        pytest.param(
            "Final-Recipient : rfc/822;a@b.example\nAction : failed\nStatus : 5.0.0\n"
            "Diagnostic-Code : smtp;550 5.7.54 relaying\n",
            ("a@b.example", "failed", "5.7.54", "550"),
            id="space before the colon, odd address type, better status in the text",
        ),
        pytest.param(
            "Final-Recipient: rfc822;a@b.example\nction: failed\nStatus: 5.3.0\n",
            ("a@b.example", "failed", "5.3.0", None),
            id="garbled action",
        ),
        pytest.param(
            "Final-Recipient: rfc822;a@b.example\nStatus: 2.0.0\n",
            ("a@b.example", "delivered", "2.0.0", None),
            id="no action and a status of success",
        ),
        pytest.param(
            "Final-Recipient: rfc822;a@b.example\nAction: failed\nStatus: 4.4.7\n"
            "Diagnostic-Code: smtp; 452 4.2.2 full\n",
            ("a@b.example", "failed", "4.4.7", "452"),
            id="a definite status stays",
        ),
        pytest.param(
            "Original-Recipient: rfc822;a@b.example\nFinal-Recipient: rfc822;a@store-7\n"
            "Action: failed\nStatus: 5.2.2\n",
            ("a@b.example", "failed", "5.2.2", None),
            id="a final recipient that only the reporter knows",
        ),
        pytest.param(
            "Final-Recipient: utf-8; grüße@b.example\nAction: failed\nStatus: 5.1.1\n",
            ("grüße@b.example", "failed", "5.1.1", None),
            id="an internationalised address",
        ),
    ],
)
def test_one_recipient(text: str, expected: tuple[str | None, ...]) -> None:
    assert only(read_fields(text)) == expected


def test_a_folded_reply_of_several_lines_is_one_text() -> None:
    """Folded lines are joined with one space, and the first pair of codes is the reply."""
    fields = read_fields(
        "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.0.0\n"
        "Diagnostic-Code: smtp; 550-5.7.26 not authenticated,\n  550-5.7.26 see\n\t550 5.7.26 our site\n"
    )
    assert fields is not None
    assert (
        fields.recipients[0].diagnostic_code
        == "550-5.7.26 not authenticated, 550-5.7.26 see 550 5.7.26 our site"
    )
    assert (fields.recipients[0].status, fields.recipients[0].reply_code) == ("5.7.26", "550")


def test_a_wrapped_reply_gives_both_verdicts() -> None:
    """The reporter's own code stands before the arrow, the other server's behind it."""
    fields = read_fields(
        "Final-Recipient: rfc822;a@b.example\nAction: failed\nStatus: 5.1.351\n"
        "Diagnostic-Code: smtp;550 5.1.351 Remote server returned unknown recipient\n"
        " -> 550 5.1.1 <a@b.example> no\n"
    )
    assert fields is not None
    (entry,) = fields.recipients
    assert (entry.status, entry.reply_code) == ("5.1.351", "550")
    assert (entry.remote_status, entry.remote_reply_code) == ("5.1.1", "550")


def test_recipients_with_different_outcomes_stay_apart() -> None:
    """Several groups, one of them without a blank line before it."""
    fields = read_fields(
        PER_MESSAGE + "\nFinal-Recipient: rfc822;a@b.example\nAction: failed\nStatus: 5.1.1\n"
        "Final-Recipient: rfc822;c@b.example\nAction: delayed\nStatus: 4.4.1\n\n"
        "Final-Recipient: rfc822;d@b.example\nAction: relayed\nStatus: 2.0.0\n"
    )
    assert fields is not None
    actions = {entry.final_recipient: entry.action for entry in fields.recipients}
    assert actions == {
        "a@b.example": Action.FAILED,
        "c@b.example": Action.DELAYED,
        "d@b.example": Action.RELAYED,
    }
    assert kind_of(fields.recipients) is Kind.FAILURE


@pytest.mark.parametrize("text", ["", "\n\n\n", PER_MESSAGE, "Final-Recipient: rfc822; <>\nAction: failed\n"])
def test_a_part_that_names_nobody_gives_nothing(text: str) -> None:
    assert read_fields(text) is None


def test_garbage_dates_are_absent() -> None:
    """A date that cannot be read is None, not an exception and not an epoch."""
    fields = read_fields(
        "Arrival-Date: yesterday +99999999999999\n\nFinal-Recipient: rfc822;a@b.example\nAction: delayed\n"
        "Will-Retry-Until: Mon, 1 Jun 2026 10:00:00 +0200\nLast-Attempt-Date: 1 Jan 0000\n"
    )
    assert fields is not None
    assert fields.arrival_date is None
    assert fields.recipients[0].last_attempt_date is None
    retry = fields.recipients[0].will_retry_until
    assert retry is not None
    assert retry.isoformat() == "2026-06-01T08:00:00+00:00"


def test_a_group_is_bounded() -> None:
    """Ten thousand continuation lines stay one bounded value."""
    (group,) = read_groups("Diagnostic-Code: x\n" + " more\n" * 10_000)
    assert len(group["diagnostic-code"]) < 5000
