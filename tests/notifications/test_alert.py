"""The alert: what happened, who is affected, what to do now."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bounce_watch.classify import load_catalogue
from bounce_watch.model import Details, Severity
from bounce_watch.model.finding import RefusalExamples
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.alert.wording import title_of
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.facts import AlertFacts, AlertKind
from bounce_watch.shipped_files import data_file


def test_an_alert_names_the_incident(composer: Composer) -> None:
    letter = composer.alert(template_samples.alert_facts())
    assert letter.subject == "[Critical] INC-7: Account blocked from sending: mara@contoso.example"
    for part in ("Tue, Nov 24, 2026, 04:00", "5.1.8", "fabrikam[.]example", "Security team", "14"):
        assert part in letter.text
        assert part in letter.html


def test_every_playbook_gives_an_alert(composer: Composer, playbooks: dict[str, Playbook]) -> None:
    """What to do comes before why, with the way through the admin center and the command."""
    for name, playbook in playbooks.items():
        text = composer.alert(template_samples.alert_facts(name)).text
        flat = " ".join(text.split())
        assert text.index("WHAT TO DO NOW") < text.index("\nWHY")
        for step in (step for step in playbook.steps if step.applies(("5.1.8",))):
            assert " ".join(step.text.split()) in flat
            assert step.source in text


def test_long_lists_are_capped(composer: Composer) -> None:
    incident = template_samples.incident()
    many = tuple(f"p{n}@contoso.example" for n in range(40))
    finding = replace(incident.finding, senders=many)
    text = composer.alert(
        AlertFacts(event_key="x", to="a@b.example", incident=replace(incident, finding=finding))
    ).text
    assert "p9@contoso.example" in text
    assert "p10@contoso.example" not in text
    assert "and 30 more" in text


@pytest.mark.parametrize("severity", Severity)
def test_every_severity_is_written_out(composer: Composer, severity: Severity) -> None:
    incident = template_samples.incident(severity=severity)
    letter = composer.alert(AlertFacts(event_key="x", to="a@b.example", incident=incident))
    assert letter.subject.lower().startswith(f"[{severity}]")


def test_an_incident_without_a_playbook_is_still_told(composer: Composer) -> None:
    text = composer.alert(template_samples.alert_facts("something_new")).text
    assert "INC-7" in text
    assert "There are no steps for this kind of incident yet." in text


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("mara@contoso.example", "Blocked: mara@contoso.example"),
        ("fabrikam.example", "Blocked: fabrikam.example"),
        ("tenant", "Blocked"),
        ("", "Blocked"),
    ],
)
def test_the_title_says_whom_it_is_about(key: str, title: str) -> None:
    assert title_of(replace(template_samples.incident().finding, title="Blocked", key=key)) == title


def test_the_alert_names_what_the_refusals_name(composer: Composer) -> None:
    details = (Details(blocked_ip="192.0.2.7", blocklist="Spamhaus"), Details(blocked_ip="192.0.2.7"))
    letter = composer.alert(
        replace(template_samples.alert_facts(), examples=RefusalExamples(details=details))
    )
    assert re.search(
        r"Evidence: +Blocked address: 192\.0\.2\.7 \(2 times\)\n +Blocklist: Spamhaus\n", letter.text
    )
    assert "Blocked address: 192.0.2.7 (2 times)<br>Blocklist: Spamhaus" in letter.html


def test_the_alert_carries_the_steps_of_the_code_itself(
    templates: Path, playbooks: dict[str, Playbook]
) -> None:
    catalogue = load_catalogue(data_file("codes.toml").read_text(encoding="utf-8"))
    composer = Composer([templates], template_samples.ORGANISATION, playbooks, catalogue)
    examples = RefusalExamples(entries=("5.7.511", "5.1.10/recipient-not-found", "5.2.252"))
    letter = composer.alert(replace(template_samples.alert_facts(), examples=examples))
    assert "For code 5.7.511: The sending address is banned" in letter.text
    assert "delist@microsoft.com" in letter.text
    assert "For code 5.2.252" in letter.text
    assert "SendAs" in letter.text
    assert "delist@microsoft.com" in letter.html


def test_the_alert_says_what_to_connect_first(composer: Composer) -> None:
    text = composer.alert(template_samples.alert_facts()).text
    assert text.index("Connect-ExchangeOnline") < text.index("Get-MessageTraceV2")
    assert "Connect-MgGraph -Scopes 'Directory.Read.All'" in text
    assert "Resolve-DnsName" not in text
    assert "part of PowerShell on Windows" in composer.alert(template_samples.alert_facts("mail_loop")).text


@pytest.mark.parametrize("severity", Severity)
def test_severe_alerts_are_marked_as_important(composer: Composer, severity: Severity) -> None:
    facts = AlertFacts(event_key="x", to="a@b.example", incident=template_samples.incident(severity=severity))
    assert composer.alert(facts).is_urgent is (severity in (Severity.CRITICAL, Severity.HIGH))
    assert not composer.alert(replace(facts, kind=AlertKind.ALL_CLEAR)).is_urgent


def test_an_alert_says_in_its_first_lines_how_to_acknowledge(composer: Composer) -> None:
    text = composer.alert(template_samples.alert_facts()).text
    assert "bounce-watch incidents ack 7" in " ".join(text.splitlines()[:5])


@pytest.mark.parametrize(
    ("language", "subject", "todo"),
    [
        ("de", "[Kritisch] INC-7:", "WAS SIE JETZT TUN KÖNNEN"),
        ("es", "[Crítico] INC-7:", "QUÉ HACER AHORA"),
        ("fr", "[Critique] INC-7 :", "QUE FAIRE MAINTENANT"),
        ("it", "[Critico] INC-7:", "CHE COSA FARE ORA"),
        ("nl", "[Kritiek] INC-7:", "WAT U NU KUNT DOEN"),
        ("pt", "[Crítico] INC-7:", "O QUE FAZER AGORA"),
        ("sv", "[Critical] INC-7:", "WHAT TO DO NOW"),
    ],
)
@pytest.mark.parametrize("kind", AlertKind)
def test_an_alert_is_in_our_language(
    templates: Path, playbooks: dict[str, Playbook], language: str, subject: str, todo: str, kind: AlertKind
) -> None:
    """Each kind, and a rule's title and steps as they are; a language that we lack gives English."""
    ours = replace(template_samples.ORGANISATION, language=language)
    facts = replace(template_samples.alert_facts(), kind=kind, growth=3)
    letter = Composer([templates], ours, playbooks).alert(facts)
    assert letter.language == ("en" if language == "sv" else language)
    assert f'<html lang="{letter.language}">' in letter.html
    if kind is AlertKind.OPENED:
        assert letter.subject.startswith(subject)
        assert todo in letter.text
        assert "Update-MgUser -UserId 'mara@contoso.example' -AccountEnabled:$false" in letter.text
    if letter.language != "en":
        ours_only = letter.text.partition("Connect-")[0]
        assert not re.search(r"\b(Since|Owner|Severity|Last seen|bounces|incident opened)\b", ours_only)


@pytest.mark.parametrize("language", ["de", "es", "fr", "it", "nl", "pt"])
def test_an_outage_is_told_in_our_language(templates: Path, language: str) -> None:
    composer = Composer([templates], replace(template_samples.ORGANISATION, language=language))
    for facts in template_samples.outages():
        letter = composer.outage(facts)
        assert letter.language == language
        assert not re.search(r"\b(The bounce mailbox|Retrying|Until|Reason|Written by)\b", letter.text)
