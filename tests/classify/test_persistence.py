"""Action first, then the basic reply code, then the class; unknown rather than a guess."""

import pytest

from bounce_watch.classify import judge
from bounce_watch.classify.judge import persistence_of
from bounce_watch.model import Action, Kind, Persistence
from tests.classify.reports import CATALOGUE, SITE, fields, report

PERMANENT, TEMPORARY, UNKNOWN = Persistence.PERMANENT, Persistence.TEMPORARY, Persistence.UNKNOWN

TABLE = [
    (Action.FAILED, "550", "5.1.1", PERMANENT),
    (Action.FAILED, "550", "4.4.7", PERMANENT),
    (Action.FAILED, "450", "4.2.2", PERMANENT),
    (Action.FAILED, None, None, PERMANENT),
    (Action.DELAYED, "550", "5.1.1", TEMPORARY),
    (Action.DELAYED, None, None, TEMPORARY),
    (Action.DELIVERED, "250", "2.0.0", UNKNOWN),
    (Action.RELAYED, None, None, UNKNOWN),
    (Action.EXPANDED, None, None, UNKNOWN),
    (None, "554", "4.3.2", PERMANENT),
    (None, "452", "5.2.2", TEMPORARY),
    (None, None, "5.2.2", PERMANENT),
    (None, None, "4.2.2", TEMPORARY),
    (None, None, None, UNKNOWN),
    (None, "250", None, UNKNOWN),
]


@pytest.mark.parametrize(("action", "reply_code", "status", "persistence"), TABLE, ids=str)
def test_the_first_of_action_reply_code_and_class_decides(
    action: Action | None, reply_code: str | None, status: str | None, persistence: Persistence
) -> None:
    assert persistence_of(action, reply_code, status) is persistence


def test_an_expired_mail_is_permanent_although_its_class_says_temporary() -> None:
    """`550 4.4.7 QUEUE.Expired` with `Action: failed` is the end of this mail."""
    bounce = judge(report(fields("550 4.4.7 QUEUE.Expired; message expired")), CATALOGUE, SITE)[0]
    assert bounce.persistence is PERMANENT


def test_a_failure_without_action_and_codes_stays_unknown() -> None:
    """The kind of the message says that it failed, not that it could never succeed."""
    bounce = judge(report(fields("no reason given", action=None)), CATALOGUE, SITE)[0]
    assert (bounce.action, bounce.persistence) == (Action.FAILED, UNKNOWN)


def test_codes_in_the_text_decide_when_the_fields_are_missing() -> None:
    bounce = judge(report(fields("452 4.2.2 mailbox full", action=None)), CATALOGUE, SITE)[0]
    assert bounce.persistence is TEMPORARY


def test_a_delay_without_action_is_temporary() -> None:
    bounce = judge(report(fields("550 busy", action=None), kind=Kind.DELAY), CATALOGUE, SITE)[0]
    assert (bounce.action, bounce.persistence) == (Action.DELAYED, TEMPORARY)
