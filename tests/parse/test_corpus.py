"""The public sample bounces beside the checkout: recipients, kinds and no false bounce."""

import json
from pathlib import Path

import pytest

from bounce_watch.model import Action, Kind, Report
from bounce_watch.parse import read

BOUNCED = (Action.FAILED, Action.DELAYED)


def kind_and_bounced(mail: Path) -> tuple[str, set[str], set[str]]:
    """Return the kind, the failed or delayed recipients, and the failed ones."""
    readings = read(mail.read_bytes())
    kind = str(getattr(readings[0], "kind", Kind.UNREADABLE))
    entries = [entry for r in readings if isinstance(r, Report) for entry in r.recipients]
    bounced = {(e.final_recipient or "").lower() for e in entries if e.action in BOUNCED}
    return kind, bounced, {(e.final_recipient or "").lower() for e in entries if e.action is Action.FAILED}


@pytest.mark.corpus
def test_the_public_samples_are_read_right(shared: Path) -> None:
    """At least 99 % of kinds and of recipient sets, and not one false bounce."""
    corpus = shared / "corpus"
    rows = [json.loads(line) for line in (corpus / "expected.jsonl").read_text(encoding="utf-8").splitlines()]
    wrong_kinds, wrong_recipients, false_bounces = [], [], []
    for row in rows:
        kind, bounced, failed = kind_and_bounced(corpus / row["path"])
        if kind != row["kind"]:
            wrong_kinds.append(row["path"])
        if row["kind"] not in ("failure", "delay"):
            false_bounces += [row["path"]] if failed else []
            continue
        wanted = [
            {b["recipient"].lower(), *map(str.lower, b.get("recipient_also", ()))} for b in row["bounces"]
        ]
        exact = len(wanted) == len(bounced) and all(names & bounced for names in wanted)
        if row.get("recipients_known", True) and not exact:
            wrong_recipients.append(row["path"])
    assert false_bounces == []
    assert len(wrong_kinds) <= len(rows) // 100, wrong_kinds
    assert len(wrong_recipients) <= len(rows) // 100, wrong_recipients


@pytest.mark.corpus
@pytest.mark.parametrize("folder", ["mac", "dos"])
def test_line_ends_change_nothing(folder: str, shared: Path) -> None:
    """Bare CR and CRLF copies of one mail say what the LF copy says."""
    sets = shared / "corpus" / "set-of-emails"
    pairs = [(mail, sets / "bsd" / mail.name) for mail in sorted((sets / folder).glob("*.eml"))]
    pairs = [(mail, twin) for mail, twin in pairs if twin.exists()]
    assert pairs
    for mail, twin in pairs:
        assert kind_and_bounced(mail) == kind_and_bounced(twin), mail.name
