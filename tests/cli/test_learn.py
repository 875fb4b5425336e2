"""What a site teaches, and judging the past again, as a user calls it."""

import json
import re
from pathlib import Path
from typing import cast

import pytest
from sqlmodel import col, select

from bounce_watch.classify import load_catalogue
from bounce_watch.config.load import load_config
from bounce_watch.shipped_files import catalogue_text
from bounce_watch.store import Store, store_location
from bounce_watch.store.tables import Bounce
from tests.cli.conftest import call

pytestmark = pytest.mark.slow

CODES = """
[[code]]
code = "5.7.23"
title = "Refused by policy"
meaning = "The partner refuses our domain, whatever it says."
cause = "policy_rejected"
source = "https://partner.example/codes"
checked = 2026-11-30
confidence = "observed"

[[code]]
variant = "spf-by-policy"
match = ["Sender Policy Framework violation"]
title = "Refused by policy"
meaning = "The partner refuses our domain, whatever it says."
cause = "policy_rejected"
source = "https://partner.example/codes"
checked = 2026-11-30
confidence = "observed"
weight = "sure"
"""


def with_codes(site: Path, text: str = CODES) -> Path:
    """Give a site its own file of codes."""
    site.with_name("codes.toml").write_text(text)
    site.write_text(site.read_text() + '\n[overrides]\ncodes = "codes.toml"\n')
    return site


def lines(site: Path, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in call("-c", str(site), *arguments, "--json").stdout.splitlines()]


def test_the_past_is_judged_again_and_back(site: Path) -> None:
    with_codes(site)
    before = lines(site, "history", "--limit", "0")
    checked = {line["name"]: line["state"] for line in lines(site, "check", "--offline")}
    assert checked["verdicts"] == "warning"
    tried = lines(site, "reclassify", "--dry-run")
    assert lines(site, "history", "--limit", "0") == before
    done = call("-c", str(site), "reclassify")
    assert "undoes it" in done.stderr
    assert "Judged before" in done.stdout
    assert sum(int(str(line["bounces"])) for line in tried) > 3
    number = next(row["id"] for row in before if row["status"] == "5.7.23")
    (shown,) = lines(site, "show", str(number))
    assert shown["bounce"]["cause"] == "policy_rejected"  # type: ignore[index]
    assert shown["first_verdict"]["cause"] == "spf_failed"  # type: ignore[index]
    text = call("-c", str(site), "show", str(number)).stdout
    assert "At first      spf_failed, mail_admin must act" in text
    assert f"Judged with   catalogue {shown['catalogue']}" in text
    assert "verdicts" not in {line["name"] for line in lines(site, "check", "--offline")}
    assert not lines(site, "reclassify")
    assert "first verdict again" in call("-c", str(site), "reclassify", "--back").stderr
    assert lines(site, "history", "--limit", "0") == before


def not_understood(site: Path) -> list[str]:
    """Give two bounces words that no row has; return their ids."""
    words = "554 the parcel office of {} is closed (id 4F2A1C{})"
    with Store.open(store_location(load_config(site).store)) as store, store.transaction() as tx:
        query = select(Bounce).where(col(Bounce.status) == "5.7.23").order_by(col(Bounce.id)).limit(2)
        rows = tx.session.exec(query).all()
        for row in rows:
            row.diagnostic_code = words.format(row.recipient, row.id)
            row.status, row.cause, row.certainty, row.entry = None, "unknown", "not_told", None
    return [str(row.id) for row in rows]


def test_what_is_not_understood_is_listed_taught_and_judged_again(site: Path) -> None:
    """The site's file keeps its comments and its mode; the second teaching of a reply replaces the first."""
    codes = with_codes(site, "# what our partners write\n").with_name("codes.toml")
    codes.chmod(0o640)
    number, _ = not_understood(site)
    (group,) = [one for one in lines(site, "unknown", "--since", "900w") if "parcel" in str(one["reply"])]
    assert group["reply"] == "554 the parcel office of <address> is closed (id <id>)"
    assert (group["people"], group["bounces"]) == (2, 2)
    shown = call("-c", str(site), "unknown", "--since", "900w").stdout
    assert str(group["row"]) in shown
    load_catalogue(catalogue_text(), str(group["row"]))

    said = call("-c", str(site), "teach", number, "--cause", "greylisted", "--dry-run")
    assert "Stored bounces that it changes" in said.stderr
    assert codes.read_text() == "# what our partners write\n"
    for cause in ("greylisted", "remote_system_error"):
        call("-c", str(site), "teach", number, "--cause", cause, "--owner", "mail_admin")
    text = codes.read_text()
    assert text.startswith("# what our partners write\n")
    assert text.count("[[code]]") == text.count("[[case]]") == 1
    assert "larkfield" not in text
    assert codes.stat().st_mode & 0o777 == 0o640
    call("-c", str(site), "reclassify")
    (after,) = lines(site, "show", number)
    assert after["bounce"]["cause"] == "remote_system_error"  # type: ignore[index]
    assert after["bounce"]["owner"] == "mail_admin"  # type: ignore[index]
    again = ("teach", number, "--cause", "remote_system_error", "--owner", "mail_admin")
    assert "judged so already" in call("-c", str(site), *again).stderr


def test_a_lesson_that_breaks_a_golden_is_refused_with_its_name(site: Path) -> None:
    codes = with_codes(site, "").with_name("codes.toml")
    said = call("-c", str(site), "teach", "550 5.1.1 User unknown", "--cause", "mail_loop", status=1).stderr
    assert re.search(r"is judged right: reply \d+: 550 .*user unknown", said, re.IGNORECASE)
    assert codes.read_text() == ""


def test_a_sample_of_a_stored_bounce_is_made_of_what_is_stored(site: Path, tmp_path: Path) -> None:
    with_codes(site, "")
    number, _ = not_understood(site)
    sample = ("--sample", str(tmp_path / "out"), "--yes")
    call("-c", str(site), "teach", number, "--cause", "remote_system_error", *sample)
    (written,) = (tmp_path / "out").iterdir()
    text = written.read_text()
    assert "larkfield" not in text
    (report,) = lines(site, "parse", str(written))
    (bounce,) = cast("list[dict[str, str]]", report["bounces"])
    assert bounce["diagnostic_code"].startswith("554 the parcel office of person-")


def test_a_file_of_codes_may_be_written_later(site: Path) -> None:
    with_codes(site).with_name("codes.toml").unlink()
    assert lines(site, "explain", "550 5.1.10 RecipientNotFound")
    checked = {line["name"]: line["state"] for line in lines(site, "check", "--offline")}
    assert (checked["your codes"], checked["catalogue and rules"]) == ("warning", "ok")


def test_no_link_is_followed_and_no_file_is_no_crash(site: Path) -> None:
    said = call("-c", str(site), "teach", "550 the mill sleeps", "--cause", "greylisted", status=78).stderr
    assert "[overrides]" in said
    codes = with_codes(site, "").with_name("codes.toml")
    target = codes.with_name("target.toml")
    codes.rename(target)
    codes.symlink_to(target)
    call("-c", str(site), "teach", "550 the mill sleeps", "--cause", "greylisted", status=78)
    assert target.read_text() == ""
