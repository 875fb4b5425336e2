"""The set-up of docs/service.md, run as it stands there on a machine of its own, as far as the first start.

No systemd runs there (SYSTEMD_OFFLINE): links and units are real, but `--now` has to be left out.
"""

import os
import re
from pathlib import Path

import pytest

from tests.documented import ROOT, steps
from tests.house.conftest import borrow_libraries, run
from tests.servers.machine import Machine
from tests.servers.processes import need

pytestmark = [
    pytest.mark.slow,
    pytest.mark.servers,
    pytest.mark.xdist_group("wheel"),
    pytest.mark.timeout(600),
]

STEPS = ("program", "folders", "units", "credential", "start-the-service", "timer", "completions")
"""The blocks that the test runs, in this order; `init` is run by tests/endtoend/test_half_hour.py."""


def test_the_documented_commands_install_a_service_that_systemd_accepts(wheel: Path, tmp_path: Path) -> None:
    need("systemd-analyze", "systemctl")
    code = steps()
    environ = {"SYSTEMD_OFFLINE": "1", "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PATH": os.environ["PATH"]}
    machine = Machine(tmp_path, hosts={}, environ=environ)
    machine.run(code["program"].replace(" .\n", f" {wheel}\n"))
    borrow_libraries(tmp_path / "opt" / "bounce-watch")
    assert "bounce-watch" in machine.run("bounce-watch --version")
    machine.run(code["folders"])
    machine.run(code["units"])
    units = tmp_path / "etc" / "systemd" / "system"
    (units / "bounce-watch.service.d").mkdir()
    (units / "bounce-watch.service.d" / "override.conf").write_text(code["credential"])
    machine.run(code["start-the-service"].replace(" --now", ""))
    assert _wanted(units) == {"bounce-watch.service"}
    for unit in ("bounce-watch.service", "bounce-watch-digest.service", "bounce-watch-digest.timer"):
        verify = f"systemd-analyze verify --man=no --recursive-errors=no /etc/systemd/system/{unit}"
        assert machine.run(verify) == ""
    machine.run(code["timer"].replace(" --now", ""))
    assert _wanted(units) == {"bounce-watch-digest.timer"}

    machine.run(code["completions"])
    linked = [path for path in (tmp_path / "usr" / "local" / "share").rglob("*") if path.is_symlink()]
    assert {path.name for path in linked} >= {"_bounce-watch", "bounce-watch.1", "bounce-watch.toml.5"}
    machine.run(f"test -s /{' -a -s /'.join(str(path.relative_to(tmp_path)) for path in linked)}")
    machine.run("test -s /etc/fish/completions/bounce-watch.fish")


def _wanted(units: Path) -> set[str]:
    """Return the units that start with the machine."""
    return {path.name for path in units.glob("*.wants/*") if path.is_symlink()}


def test_the_documents_state_the_exposure_that_systemd_measures() -> None:
    need("systemd-analyze")
    unit = ROOT / "systemd" / "bounce-watch.service"
    said = run("systemd-analyze", "--no-pager", "security", "--offline=true", unit, cwd=ROOT).stdout
    found = re.search(r"exposure level for \S+: (\d+\.\d)", said)
    assert found, said
    assert f"{found[1]} of 10" in (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
