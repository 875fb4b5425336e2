"""`owners`: the entries, the senders without one, and who is told about one sender."""

import json
from pathlib import Path

from tests.cli.conftest import call

SCANNER, OWNER = "noreply-scanner@larkfield-labs.example", "facilities@larkfield.example"


def asked(config: Path, *arguments: str, status: int = 0) -> list[dict[str, object]]:
    done = call("-c", str(config), "owners", *arguments, "--json", status=status)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_both_bounces_of_the_scanner_reach_its_owner_in_one_letter(demo: Path) -> None:
    """The reports came half an hour apart; one mail was marked as automatic, one only has such an address."""
    letters = [mail.read_bytes() for mail in (demo / "sent").glob("*-owner.eml")]
    assert len(letters) == 1
    text = letters[0].decode()
    assert f"To: {OWNER}" in text
    assert f"Subject: 2 emails from {SCANNER} weren't delivered" in text.replace("\r\n ", " ")
    assert all(
        name in text for name in ("archive@dokuhaus", "buchhaltung@steuer-kruse", "Scan 3F-1187", "1190")
    )


def test_senders_without_an_owner_are_listed_until_they_have_one(site: Path) -> None:
    since = ("missing", "--since", "2026-11-01")
    assert asked(site, *since) == []
    (listed,) = asked(site, "list")
    assert (listed["name"], listed["to"]) == ("Scanners", [OWNER])
    assert asked(site, "test", SCANNER)[0]["told"] == [OWNER]
    assert asked(site, "test", "anna@larkfield.example") == [
        {"sender": "anna@larkfield.example", "owner": None, "is_unread": False, "told": []}
    ]
    outsider = call("-c", str(site), "owners", "test", "anna@fabrikam.example").stdout
    assert "no one" in outsider
    call("-c", str(site), "owners", "test", "nonsense", status=2)
    assert asked(site, "test", "webmaster@larkfield.example", status=1)[0]["told"] == []


def test_a_broken_csv_is_named_by_check_status_and_the_command(site: Path) -> None:
    text = site.read_text().partition("[[owners]]")[0]
    site.write_text(f'{text}[[owners]]\ncsv = "owners.csv"\n')
    table = site.with_name("owners.csv")
    table.write_text(f"name,senders,to,every\nScanners,{SCANNER},someone@fabrikam.example,hour\n")
    fault = "line 2: someone@fabrikam.example must lie in one of organisation.accepted_domains"
    assert fault in call("-c", str(site), "owners", "list").stderr
    found = call("-c", str(site), "check", "--offline", "--json", status=1).stdout
    assert [one["state"] for one in map(json.loads, found.splitlines()) if fault in one["text"]] == [
        "failure"
    ]
    told = json.loads(call("-c", str(site), "status", "--json", status=1).stdout)
    assert [part["status"] for part in told["parts"] if fault in part["text"]] == ["warning"]
