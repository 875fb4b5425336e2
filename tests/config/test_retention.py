"""How long things are kept: a choice at `init`, with a default that loses nothing soon."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from bounce_watch.config.organisation import Retention
from tests.cli.conftest import call
from tests.cli.test_setup import FLAGS


def test_a_year_of_bounces_and_more_is_kept_unless_the_site_says_otherwise() -> None:
    kept = Retention()
    assert (kept.days, kept.quarantine_days, kept.counters, kept.subjects) == (400, 400, "keep", "kept")


@pytest.mark.parametrize("days", [0, 7, 36_500])
def test_for_ever_and_a_week_or_more_are_accepted(days: int) -> None:
    assert Retention(days=days, quarantine_days=days).days == days


@pytest.mark.parametrize("days", [-1, 1, 6, 36_501])
def test_what_rules_and_digests_look_back_at_is_never_deleted(days: int) -> None:
    for key in ("days", "quarantine_days"):
        with pytest.raises(ValidationError):
            Retention.model_validate({key: days})


@pytest.mark.parametrize(
    ("flags", "days"), [((), 400), (("--keep-days", "90"), 90), (("--keep-days", "0"), 0)]
)
def test_init_writes_the_choice_down(tmp_path: Path, flags: tuple[str, ...], days: int) -> None:
    path = tmp_path / "config.toml"
    call("init", *FLAGS, "--output", str(path), *flags)
    assert tomllib.loads(path.read_text())["retention"] == {"days": days}


def test_init_refuses_a_retention_that_the_service_would_refuse(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    done = call("init", *FLAGS, "--output", str(path), "--keep-days", "3", status=78)
    assert "at least 7 days" in done.stderr
    assert not path.exists()
