"""Playbooks: complete, sourced, and safe to paste."""

import re
from dataclasses import replace

import pytest

from bounce_watch.model.finding import RefusalExamples
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.alert.playbooks import Playbook, load_playbooks
from bounce_watch.notifications.alert.steps import connections, fill_steps
from bounce_watch.notifications.errors import PlaybookFault

NAMES = {
    *("account_blocked", "account_takeover", "spf_dkim_dmarc", "tenant_blocked", "destination_unreachable"),
    *("tenant_limit", "tls_failure", "bulk_sender_rules"),
    *("blocked_reputation", "mail_loop", "sending_limits", "forwarding", "relay_connector"),
    *("group_restricted", "size_limit", "stale_address", "resend_loop", "backscatter"),
    *("unusual_volume", "feed_silent", "dns_record", "dns_destination"),
}
STEP = 'text = "Do it."\nsource = "https://learn.microsoft.com/x"\nchecked = "2026-11"\n'
GOOD = f'[[playbook]]\nname = "a"\ntitle = "A"\nmeaning = "M."\n[[playbook.step]]\n{STEP}'


def test_the_playbooks_are_those_that_rules_name(playbooks: dict[str, Playbook]) -> None:
    assert set(playbooks) == NAMES


def test_every_step_says_who_says_so(playbooks: dict[str, Playbook]) -> None:
    for playbook in playbooks.values():
        assert len(playbook.steps) >= 3
        for step in playbook.steps:
            assert step.source.startswith("https://")
            assert step.where or step.command or step.text


# What the troubleshooting guide and Microsoft's pages ask for, by the words that an admin would look for.
DEMANDED = {
    "account_blocked": (
        *("Restricted entities", "Get-BlockedSenderAddress", "Revoke-MgUserSignInSession", "app passwords"),
        *("malware", "sign-ins", "Get-InboxRule", "Get-MessageTraceV2", "Remove-BlockedSenderAddress"),
        *("User restricted from sending email", "Security Administrator", "5.7.501", "delegates", "evidence"),
        *("consents", "admin roles", "hidden Inbox rules", "Active Directory, twice", "audit log"),
    ),
    "account_takeover": ("call the user", "Sign-in logs", "Risky users", "block sign-in", "evidence"),
    "tenant_limit": (
        *("Tenant Outbound External Recipients", "Get-LimitsEnforcementStatus", "onmicrosoft.com"),
        *("ends by itself", "Each member of a distribution list", "Top senders and recipients"),
        *("Get-TerrlExternalRecipientEstimate.ps1", "High Volume Email"),
    ),
    "tls_failure": ("DANE", "MTA-STS", "Validate-OutboundConnector", "TlsDomain"),
    "bulk_sender_rules": ("5,000", "5.7.515", "one-click unsubscribe", "reverse DNS", "TLS"),
    "spf_dkim_dmarc": (
        *("Resolve-DnsName -Type TXT", "ten lookups", "Get-DkimSigningConfig", "_dmarc", "high-risk"),
        *("Message Analyzer", "time to live"),
    ),
    "dns_record": ("record that the alert proposes", "Get-DkimSigningConfig", "time to live"),
    "dns_destination": ("misspelled", "domain of ours", "-Type MX", "call the recipient's organization"),
    "tenant_blocked": (
        *("Get-InboundConnector", "Get-BlockedConnector", "Remove-BlockedConnector", "Get-AcceptedDomain"),
        *("5.7.708", "5.7.750", "Service health", "Help & support"),
    ),
    "destination_unreachable": (
        *("-Type MX", "LastAttemptedIP", "port 25", "testconnectivity.microsoft.com", "Service health"),
        *("Hybrid Configuration Wizard", "Get-OutboundConnector", "aka.ms/PillarEmailNDR"),
    ),
    "blocked_reputation": ("high-risk", "sender.office.com", "Help & support", "reverse DNS"),
    "mail_loop": ("Message Analyzer", "-Type MX", "Internal relay", "Authoritative", "Get-TransportRule"),
    "sending_limits": ("Get-HostedOutboundSpamFilterPolicy", "10,000", "by phone"),
    "forwarding": ("Auto forwarded messages", "Get-InboxRule", "Get-Mailbox", "A block in any place wins"),
    "relay_connector": (
        *(
            "587",
            "OAuth",
            "SmtpClientAuthenticationDisabled",
            "SMTP AUTH clients",
            "December 2026",
            "RejectDirectSend",
        ),
        *("Sync-ModernMailPublicFolders", "mail contact", "24 hours", "certificate"),
    ),
}


@pytest.mark.parametrize("name", DEMANDED)
def test_a_playbook_has_the_steps_of_the_guide(playbooks: dict[str, Playbook], name: str) -> None:
    playbook = playbooks[name]
    told = "\n".join(
        [playbook.meaning, *(f"{s.text} {s.where or ''} {s.command or ''}" for s in playbook.steps)]
    )
    assert [words for words in DEMANDED[name] if words.lower() not in told.lower()] == []
    assert any(step.where for step in playbook.steps)
    assert any(step.command for step in playbook.steps)


def test_placeholders_stand_bare(playbooks: dict[str, Playbook]) -> None:
    """A placeholder inside quotes would double the quotes and break the command."""
    for playbook in playbooks.values():
        for step in playbook.steps:
            for quoted in re.findall(r"'[^']*'|\"[^\"]*\"", step.command or ""):
                assert not re.search(r"<[a-z_]+>", quoted)


def test_a_step_is_filled_with_the_incident(playbooks: dict[str, Playbook]) -> None:
    steps = fill_steps(playbooks["account_blocked"], template_samples.incident().finding)
    assert steps[0].commands == ("Update-MgUser -UserId 'mara@contoso.example' -AccountEnabled:$false",)
    trace = next(command for step in steps for command in step.commands if "Trace" in command)
    assert "-StartDate '2026-11-22T03:00:00Z' -EndDate '2026-11-24T06:40:00Z'" in trace
    assert connections(steps) == (
        "Connect-ExchangeOnline",
        (
            "Connect-MgGraph -Scopes 'Directory.Read.All', 'User.ReadWrite.All', 'User.RevokeSessions.All', "
            "'UserAuthenticationMethod.Read.All'"
        ),
    )


def test_the_account_is_secured_in_microsofts_order(playbooks: dict[str, Playbook]) -> None:
    text = "\n".join(f"{step.text} {step.command}" for step in playbooks["account_blocked"].steps)
    order = ["AccountEnabled:$false", "Revoke-MgUserSignInSession", "authentication methods", "consents"]
    order += ["admin roles", "Get-InboxRule", "Reset the password", "AccountEnabled:$true", "Remove-Blocked"]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.parametrize("code", ["5.7.501", "5.7.502", "5.7.503"])
def test_a_ban_gets_no_command_that_cannot_work(playbooks: dict[str, Playbook], code: str) -> None:
    banned = replace(template_samples.incident().finding, statuses=(code,))
    steps = fill_steps(playbooks["account_blocked"], banned)
    assert not [command for step in steps for command in step.commands if "BlockedSenderAddress" in command]
    assert [step.text for step in steps if "only Microsoft can lift the ban" in step.text]
    blocked = fill_steps(playbooks["account_blocked"], template_samples.incident().finding)
    assert not [step.text for step in blocked if "only Microsoft can lift the ban" in step.text]


def test_a_suspicion_is_checked_before_anything_is_blocked(playbooks: dict[str, Playbook]) -> None:
    steps = playbooks["account_takeover"].steps
    assert not [step for step in steps if "BlockedSender" in (step.command or "") or "Confirm" in step.text]
    assert not [step for step in steps[:2] if "AccountEnabled" in (step.command or "")]


def test_who_sent_most_counts_our_own_senders_to_external_recipients(playbooks: dict[str, Playbook]) -> None:
    commands = [step.command or "" for playbook in playbooks.values() for step in playbook.steps]
    grouped = [command for command in commands if "Group-Object SenderAddress" in command]
    assert len(grouped) >= 4
    assert all("$own -contains ($_.SenderAddress" in command for command in grouped)


def test_message_details_are_asked_with_dates(playbooks: dict[str, Playbook]) -> None:
    commands = [step.command or "" for playbook in playbooks.values() for step in playbook.steps]
    detailed = [command for command in commands if "Get-MessageTraceDetailV2" in command]
    assert detailed
    assert all("-EndDate <until>" in command.partition("Get-MessageTraceDetailV2")[2] for command in detailed)


def test_the_restricted_group_itself_is_asked_for(playbooks: dict[str, Playbook]) -> None:
    examples = RefusalExamples(recipients=("sales@contoso.example",))
    command = fill_steps(playbooks["group_restricted"], template_samples.incident().finding, examples)[0]
    assert "Get-Recipient -Identity 'sales@contoso.example'" in command.commands[0]
    assert "<recipient>" not in command.commands[0]


def test_graph_needs_a_permission_for_each_cmdlet() -> None:
    with pytest.raises(PlaybookFault, match="no permission for Get-MgThing"):
        load_playbooks(GOOD + 'command = "Get-MgThing -UserId <sender>"\n')


def test_many_senders_give_three_commands_and_a_count(playbooks: dict[str, Playbook]) -> None:
    many = replace(
        template_samples.incident().finding, senders=tuple(f"p{n}@contoso.example" for n in range(9))
    )
    step = fill_steps(playbooks["account_takeover"], many)[0]
    assert (len(step.commands), step.more) == (3, 6)


def test_an_incident_without_senders_leaves_the_place_open(playbooks: dict[str, Playbook]) -> None:
    nobody = replace(template_samples.incident().finding, senders=(), recipient_domains=())
    assert fill_steps(playbooks["account_blocked"], nobody)[0].commands == (
        "Update-MgUser -UserId <sender> -AccountEnabled:$false",
    )


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("x'; Remove-Mailbox *; '@contoso.example", id="apostrophe"),
        pytest.param("x\u2019; Remove-Mailbox *; \u2019@contoso.example", id="typographic"),
        pytest.param("x\nRemove-Mailbox *@contoso.example", id="newline"),
        pytest.param("$(Remove-Mailbox *)@contoso.example", id="subexpression"),
    ],
)
def test_a_hostile_value_does_not_break_out(playbooks: dict[str, Playbook], name: str, hostile: str) -> None:
    """Taken out of its quotes, nothing of the value is left in the command."""
    finding = replace(template_samples.incident().finding, senders=(hostile,), recipient_domains=(hostile,))
    quotes = "'\u2018\u2019\u201a\u201b"
    strings = re.compile(f"'(?:[^{quotes}]|([{quotes}])\\1)*'")
    examples = RefusalExamples(recipients=(hostile,), message_ids=(hostile,))
    for step in fill_steps(playbooks[name], finding, examples):
        for command in step.commands:
            assert "Remove-Mailbox" not in strings.sub("", command)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("x", "playbooks: ", id="no-toml"),
        pytest.param(GOOD + GOOD, "twice", id="twice"),
        pytest.param(GOOD.replace("title", "tittle"), "unknown key 'tittle'", id="unknown-key"),
        pytest.param(GOOD.replace('meaning = "M."\n', ""), "'meaning' is missing", id="missing-key"),
        pytest.param(GOOD + 'command = "Get-X <nobody>"\n', "unknown placeholder <nobody>", id="placeholder"),
        pytest.param(GOOD.replace("https", "http"), "https", id="source"),
        pytest.param(GOOD.replace("2026-11", "lately"), "checked", id="checked"),
    ],
)
def test_a_faulty_playbook_is_refused(text: str, fault: str) -> None:
    with pytest.raises(PlaybookFault, match=re.escape(fault)):
        load_playbooks(text)
