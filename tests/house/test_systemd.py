"""The units: hardened, well formed, and in step with what the program does."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bounce_watch.cli.common.exit_status import Exit

UNITS = Path(__file__).parent.parent.parent / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], check=False, capture_output=True, text=True
    )


def settings(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_is_hardened(unit: Path) -> None:
    """systemd's own measure of exposure goes from 0 to 10; a unit without hardening has 9.2."""
    answer = analyze("security", "--offline=true", unit).stdout
    level = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", answer)
    assert level, answer
    assert float(level[1]) <= 1.5


@needs_systemd
@pytest.mark.parametrize("unit", sorted(UNITS.iterdir()), ids=lambda unit: unit.name)
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    """The program is not installed where the unit looks for it, so a copy starts something that is."""
    for each in UNITS.iterdir():
        text = each.read_text(encoding="utf-8")
        (tmp_path / each.name).write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    done = analyze("verify", "--man=no", "--recursive-errors=no", tmp_path / unit.name)
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_the_timer_names_a_time_that_systemd_understands() -> None:
    (calendar,) = settings(UNITS / "bounce-watch-digest.timer", "OnCalendar")
    assert analyze("calendar", calendar).returncode == 0


def test_the_service_is_not_restarted_where_a_person_must_act() -> None:
    (statuses,) = settings(UNITS / "bounce-watch.service", "RestartPreventExitStatus")
    assert {int(word) for word in statuses.split()} == {Exit.USAGE, Exit.REFUSED, Exit.CONFIGURATION}


def test_a_look_by_timer_gives_way_to_the_running_service() -> None:
    """The service holds the lock and sends the digest itself: nothing failed."""
    (status,) = settings(UNITS / "bounce-watch-digest.service", "SuccessExitStatus")
    assert int(status) == Exit.TRY_LATER


def test_both_services_are_hardened_in_the_same_way() -> None:
    """They share the account and the store, so neither may be the weaker door."""
    own = {"Type", "ExecStart", "ExecReload", "SuccessExitStatus", "NotifyAccess"}
    shared = []
    for unit in SERVICES:
        lines = unit.read_text(encoding="utf-8").split("[Service]")[1].split("[Install]")[0].splitlines()
        pairs = {line for line in lines if "=" in line and not line.startswith("#")}
        shared.append(
            {pair for pair in pairs if not pair.startswith((*own, "Restart", "Timeout", "Watchdog"))}
        )
    assert shared[0] == shared[1]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_no_step_of_a_unit_runs_as_root(unit: Path) -> None:
    """Root reloaded in the service's own folder, and a link planted there handed any folder over."""
    steps = re.findall(r"^Exec\w+=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    assert steps
    assert [step for step in steps if step[0] in "+!"] == []
    assert settings(unit, "PermissionsStartOnly") == settings(unit, "Slice") == []
