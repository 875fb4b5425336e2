"""The wheel: built, installed into an empty environment, and used from somewhere else."""

import os
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.documented import ROOT, steps
from tests.house.conftest import borrow_libraries, run
from tests.servers.machine import HOME, Machine

STEPS = ("install",)
"""The block of README that the proof below runs."""

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel"), pytest.mark.timeout(600)]


def install(wheel: Path, home: Path, *flags: str) -> Path:
    """Install a wheel into a new environment; return its `bounce-watch`."""
    venv.create(home, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--python", home / "bin" / "python", "install", *flags, wheel, cwd=home)
    return home / "bin" / "bounce-watch"


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the installed `bounce-watch`; it borrows the libraries of this environment, not our code."""
    home = tmp_path_factory.mktemp("environment")
    program = install(wheel, home, "--no-deps")
    borrow_libraries(home)
    return program


def test_the_wheel_carries_templates_and_knowledge(wheel: Path) -> None:
    """They lie at the top of the repository and inside the package once installed."""
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "data/codes.toml",
        "data/words.toml",
        "data/statements.toml",
        "data/providers.toml",
        "data/rules.toml",
        "data/playbooks.toml",
        "data/demo/config.toml",
        "py.typed",
    ):
        assert f"bounce_watch/{wanted}" in names
    assert any(name.startswith("bounce_watch/templates/") for name in names)
    outside = [name for name in names if not name.startswith("bounce_watch/") and ".dist-info/" not in name]
    assert [name for name in outside if ".data/data/share/" not in name] == []


@pytest.mark.parametrize(
    "place",
    [
        "man/man1/bounce-watch.1",
        "man/man5/bounce-watch.toml.5",
        "bash-completion/completions/bounce-watch",
        "zsh/site-functions/_bounce-watch",
        "fish/vendor_completions.d/bounce-watch.fish",
        "bounce-watch/systemd/bounce-watch.service",
        "bounce-watch/systemd/bounce-watch-digest.timer",
    ],
)
def test_the_manual_the_completions_and_the_units_lie_below_the_prefix(program: Path, place: str) -> None:
    """There man and the shells look, and there docs/service.md copies the units from."""
    assert (program.parent.parent / "share" / place).stat().st_size > 100


def test_the_installed_program_explains_a_code(program: Path, tmp_path: Path) -> None:
    answer = run(program, "explain", "5.7.23", cwd=tmp_path)
    assert "SPF" in answer.stdout


def test_the_installed_program_shows_its_help(program: Path, tmp_path: Path) -> None:
    assert "explain" in run(program, "--help", cwd=tmp_path).stdout


@pytest.mark.proof
def test_a_program_in_an_empty_environment_plays_the_demo(wheel: Path, tmp_path: Path) -> None:
    """The wheel names every library that it needs, and the sample mailbox ships too."""
    program = install(wheel, tmp_path / "environment")
    done = run(program, "demo", cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "INC-1" in done.stdout


@pytest.mark.proof
@pytest.mark.servers
def test_pipx_installs_the_checkout_and_the_installed_program_plays_the_demo(tmp_path: Path) -> None:
    """The block stands in README; pipx itself comes from this environment, all else from the registry."""
    path = f"{HOME}/.local/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
    machine = Machine(tmp_path, hosts={}, environ={"PATH": path})
    said = machine.run(f"cd {ROOT}\n{steps()['install']}\ncommand -v bounce-watch\nbounce-watch --version")
    assert "INC-1" in said
    assert f"{HOME}/.local/bin/bounce-watch" in said
    assert "bounce-watch(1)" in machine.run("man -P cat bounce-watch | col -b").lower()


def test_the_installed_program_finds_the_sample_mailbox(program: Path, tmp_path: Path) -> None:
    """A person who only installed the package can look at the demo."""
    asked = "from bounce_watch.shipped_files import data_file; print(data_file('demo'))"
    place = Path(run(program.with_name("python"), "-c", asked, cwd=tmp_path).stdout.strip())
    assert place.is_relative_to(program.parent.parent)
    assert run(program, "parse", place, "--json", cwd=tmp_path).stdout.count("recipient_unknown") > 5
