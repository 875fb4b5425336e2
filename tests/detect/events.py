"""Sample events and rules for the tests of detection."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bounce_watch.detect import Rule, load_rules
from bounce_watch.model import EXCHANGE_ONLINE_DECIDES, Cause, Event, Evidence, Side

DATA = Path(__file__).parents[2] / "data"
RULES_TEXT = (DATA / "rules.toml").read_text(encoding="utf-8")
BACKSCATTER = '[[rule]]\nid = "backscatter_wave"\nenabled = true\n'
"""A site's own row: the shipped one is switched off."""
RULES = {rule.id: rule for rule in load_rules(RULES_TEXT, BACKSCATTER)}
ACCEPTED = frozenset({Evidence.INTERNAL})
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


OURS = {*EXCHANGE_ONLINE_DECIDES, Cause.MAIL_LOOP, Cause.CLIENT_NOT_AUTHENTICATED}
"""Causes whose rules count only what our own servers say."""


def event(number: int, *, minutes: float = 0, **changes: Any) -> Event:
    """Return a numbered bounce some minutes after noon, in a message of its own by default."""
    values: dict[str, Any] = {
        "bounce_id": number,
        "message_id": number,
        "occurred_at": NOON + timedelta(minutes=minutes),
        "cause": Cause.SPF_FAILED,
        "status": "5.7.23",
        "side": Side.OURS if changes.get("cause") in OURS else Side.THEIRS,
        "evidence": Evidence.INTERNAL,
        "sender": f"person{number}@contoso.example",
        "sender_domain": "contoso.example",
        "recipient": f"somebody@partner{number}.example",
        "recipient_domain": f"partner{number}.example",
    }
    return Event(**{**values, **changes})


def rule(**changes: Any) -> Rule:
    """A rule of the shape distinct: three senders within two hours, quiet after a day."""
    values = {
        "id": '"probe"',
        "title": '"Probe"',
        "shape": '"distinct"',
        "where": '[{ cause = ["spf_failed"] }]',
        "group_by": '"sender_domain"',
        "distinct": '"sender"',
        "window": '"2h"',
        "open_at": "3",
        "quiet_resolve": '"1d"',
        "severity": '"high"',
        "owner": '"mail_admin"',
        "playbook": '"spf_dkim_dmarc"',
        **changes,
    }
    lines = "\n".join(f"{key} = {value}" for key, value in values.items() if value is not None)
    return load_rules(f"[[rule]]\n{lines}\n")[0]
