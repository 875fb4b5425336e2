"""The rules file: what is refused, how a site changes it, and what ships."""

import tomllib
from datetime import timedelta

import pytest

from bounce_watch.detect import RuleError, load_rules
from bounce_watch.model import Cause, Owner, Severity
from tests.detect.events import DATA, RULES, RULES_TEXT, rule

RULE = """
[[rule]]
id = "probe"
title = "Probe"
shape = "count"
where = { cause = ["spf_failed"] }
group_by = "sender"
window = "2h"
open_at = 4
quiet_resolve = "1d"
severity = "high"
owner = "mail_admin"
playbook = "spf_dkim_dmarc"
"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param('title = "Probe"', 'titel = "Probe"', "unknown key titel", id="unknown key"),
        pytest.param('title = "Probe"\n', "", "title missing", id="missing key"),
        pytest.param('id = "probe"', 'id = "Probe 1"', "id must be", id="id"),
        pytest.param('id = "probe"\n', "", "id must be", id="no id"),
        pytest.param("spf_failed", "spf_fail", "spf_fail", id="cause"),
        pytest.param('{ cause = ["spf_failed"] }', '{ code = ["5.1"] }', "5.1", id="code"),
        pytest.param('{ cause = ["spf_failed"] }', '{ side = "mine" }', "mine", id="side"),
        pytest.param('{ cause = ["spf_failed"] }', '{ causes = ["spf_failed"] }', "unknown key", id="where"),
        pytest.param('shape = "count"', 'shape = "spike"', "spike", id="shape"),
        pytest.param(
            'shape = "count"', 'shape = "distinct"', "distinct belongs", id="distinct without facet"
        ),
        pytest.param(
            'shape = "count"', 'shape = "count"\ndistinct = "sender"', "distinct belongs", id="facet"
        ),
        pytest.param('group_by = "sender"', 'group_by = "subject"', "subject", id="group"),
        pytest.param('"2h"', '"2 hours"', "no span", id="window in words"),
        pytest.param('"2h"', '"0h"', "no span", id="window of nothing"),
        pytest.param('"2h"', "2", "no span", id="window without unit"),
        pytest.param('"1d"', '"-1d"', "quiet_resolve", id="negative quiet time"),
        pytest.param("open_at = 4", "open_at = 0", "open_at", id="opens at nothing"),
        pytest.param("open_at = 4", "open_at = true", "open_at", id="opens at a truth"),
        pytest.param("open_at = 4", "open_at = 4\nresolve_below = 5", "above open_at", id="resolves above"),
        pytest.param(
            "open_at = 4", "open_at = 4\nalso_min = { mails = 3 }", "unknown key mails", id="minimum"
        ),
        pytest.param("open_at = 4", 'open_at = 4\ninhibits = ["other"]', "no rule other", id="stranger"),
        pytest.param("open_at = 4", 'open_at = 4\nenabled = "no"', "enabled", id="enabled"),
        pytest.param('"high"', '"urgent"', "urgent", id="severity"),
        pytest.param('"mail_admin"', '"boss"', "boss", id="owner"),
        pytest.param('"spf_dkim_dmarc"', '"Read on!"', "playbook", id="playbook"),
        pytest.param('shape = "count"', 'shape = "baseline"', "grouped by cause or tenant", id="baseline"),
        pytest.param(
            'shape = "count"', 'shape = "count"\np_open = 0.1', "p_open does not belong", id="learning"
        ),
        pytest.param("open_at = 4", 'open_at = 4\nevidence = ["hearsay"]', "hearsay", id="evidence"),
        pytest.param("open_at = 4", 'open_at = 4\nevidence = ["unverified"]', "can be forged", id="forged"),
        pytest.param("open_at = 4", f'open_at = 4\nguidance = "{"x" * 301}"', "one line", id="long guidance"),
        pytest.param("[[rule]]", "[[rules]]", "unknown key rules", id="table name"),
        pytest.param("[[rule]]", "[[rule", "not TOML", id="broken file"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_by_name(old: str, new: str, complaint: str) -> None:
    with pytest.raises(RuleError, match=complaint):
        load_rules(RULE.replace(old, new))


def test_the_same_id_may_not_stand_twice() -> None:
    with pytest.raises(RuleError, match="probe stands twice"):
        load_rules(RULE + RULE)


def test_a_site_changes_only_what_it_names() -> None:
    changed = load_rules(RULE, '[[rule]]\nid = "probe"\nopen_at = 9\n')[0]
    assert (changed.open_at, changed.window, changed.title) == (9, timedelta(hours=2), "Probe")


def test_a_site_adds_rules_and_switches_rules_off() -> None:
    site = RULE.replace('"probe"', '"own"') + '[[rule]]\nid = "probe"\nenabled = false\n'
    assert [found.id for found in load_rules(RULE, site)] == ["own"]


def test_a_rule_may_name_one_that_is_switched_off() -> None:
    """Switching a shipped rule off must not break the others that mention it."""
    found = load_rules(RULES_TEXT, '[[rule]]\nid = "sender_burst"\nenabled = false\n')
    assert "sender_burst" not in {each.id for each in found}
    assert len(found) == len(load_rules(RULES_TEXT)) - 1


def test_a_rule_resolves_below_half_of_what_opens_it_unless_told() -> None:
    assert (rule(open_at="9").resolve_below, rule(open_at="1").resolve_below) == (4, 1)


def test_the_shipped_rules_are_the_agreed_ones() -> None:
    assert set(RULES) == {
        *("dns_proven", "dns_proven_destination", "dns_proven_address"),
        "sender_blocked",
        "tenant_blocked",
        "tenant_limit",
        "tls_failure",
        "bulk_sender_rules",
        "spf_many_senders",
        "domain_unreachable",
        "domain_refusing_us",
        "takeover_precursor",
        "sender_burst",
        "mail_loop",
        "sender_quota",
        "forwarding_disabled",
        "blocklisted",
        "relay_fault",
        "device_not_authenticated",
        "group_restricted",
        "size_cluster",
        "resend_loop",
        "stale_address",
        "backscatter_wave",
        "unknown_rising",
        "volume_anomaly",
        "feed_silent",
    }


def test_what_nothing_verifies_opens_no_incident_as_shipped() -> None:
    """Whoever forges reports could open it, and genuine reports of other mail systems would."""
    shipped = load_rules(RULES_TEXT)
    assert set(RULES) - {found.id for found in shipped} == {"backscatter_wave"}
    assert not any(found.evidence for found in shipped)


def test_a_blocked_account_is_critical_and_goes_to_security() -> None:
    found = RULES["sender_blocked"]
    assert (found.open_at, found.severity, found.owner) == (1, Severity.CRITICAL, Owner.SECURITY)


def test_every_playbook_of_a_rule_is_there() -> None:
    text = (DATA / "playbooks.toml").read_text(encoding="utf-8")
    names = {playbook["name"] for playbook in tomllib.loads(text)["playbook"]}
    assert {found.playbook for found in RULES.values()} <= names


def test_no_rule_waits_for_a_cause_that_nothing_gives() -> None:
    """Only the rule about unclassified rejections waits for the cause unknown."""
    waiting = {
        found.id for found in RULES.values() for condition in found.where if Cause.UNKNOWN in condition.causes
    }
    assert waiting == {"unknown_rising"}


@pytest.mark.parametrize("key", ["also_min", "evidence", "inhibits", "links", "where"])
@pytest.mark.parametrize("value", ["5", "1.5", "true", "[1]", "[[1]]", '["x"]', '"x"'])
def test_a_value_of_a_wrong_type_is_a_rule_error(key: str, value: str) -> None:
    with pytest.raises(RuleError, match="sender_blocked"):
        load_rules(RULES_TEXT, f'[[rule]]\nid = "sender_blocked"\n{key} = {value}\n')


@pytest.mark.parametrize("text", ["rule = 1", 'rule = "x"', "rule = [1]", '[rule]\nid = "x"'])
def test_rules_that_are_no_tables_are_a_rule_error(text: str) -> None:
    with pytest.raises(RuleError, match=r"tables named \[\[rule\]\]"):
        load_rules(RULES_TEXT, text)
