"""What is generated from models and commands: in step with them, well formed, and of use to a shell."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
GENERATOR = ROOT / "tools" / "make_reference.py"
MANUALS = sorted((ROOT / "share" / "man").rglob("bounce-watch*"))
COMPLETION = ROOT / "share" / "bash-completion" / "completions" / "bounce-watch"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which everything was written anew."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, GENERATOR, "--root", folder], check=True)
    return folder


def row(page: str, key: str) -> list[str]:
    """Return the cells of the first row of a page's tables that begins with a key."""
    (line, *_) = [line for line in page.splitlines() if line.startswith(f"| `{key}` |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.slow
def test_the_committed_pages_are_what_the_code_says(written: Path) -> None:
    """The completions are not compared: another typer may write them differently."""
    pages = [*written.rglob("bounce-watch*.[15]"), *(written / "docs").iterdir()]
    names = [path.relative_to(written) for path in pages]
    assert len(names) == 7
    assert [name for name in names if (ROOT / name).read_text() != (written / name).read_text()] == []


@pytest.mark.slow
def test_a_stale_page_is_named_with_what_repairs_it(written: Path, tmp_path: Path) -> None:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    page = tmp_path / "docs" / "configuration.md"
    page.write_text(page.read_text().replace("poll_seconds", "pause"))
    call: list[str | Path] = [sys.executable, GENERATOR, "--check", "--root", tmp_path]
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "docs/configuration.md" in done.stderr
    assert "docs/commands.md" not in done.stderr
    assert "make reference" in done.stderr


def test_a_key_tells_its_unit_bounds_and_default() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert row(page, "timeout_seconds")[2:] == ["seconds, more than 0, at most 600", "`60`"]
    assert row(page, "accepted_domains")[2:] == ["list of texts", "required"]
    assert row(page, "ca_file")[2:] == ["path", "none"]


def test_a_secret_has_its_four_ways_on_the_page() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    for way in ("client_secret_command", "client_secret_file", "BOUNCE_WATCH_IMAP_CLIENT_SECRET"):
        assert f"`{way}`" in page
    assert "`imap-client-secret`" in page


def test_a_command_tells_its_arguments_options_and_defaults() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    history = page.split("\n## bounce-watch history\n")[1].split("\n## ")[0]
    assert row(history, "--limit NUMBER")[2] == "`50`"
    assert "bounce-watch outbox release [OPTIONS] [ID...]" in page


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.name)
def test_mandoc_finds_nothing_to_mend_in_a_manual_page(manual: Path) -> None:
    done = subprocess.run(["mandoc", "-T", "lint", manual], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.name)
def test_man_shows_a_manual_page(manual: Path) -> None:
    plain = {**os.environ, "MANWIDTH": "80", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["man", "--warnings", "-l", manual], env=plain, check=True, capture_output=True, text=True
    )
    assert "warning" not in done.stderr
    assert re.search(r"^SEE ALSO$", done.stdout, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_commands_with_the_shipped_script() -> None:
    """The script is sourced by a real bash, which then asks the program that is installed here."""
    words = "COMP_WORDS=(bounce-watch inc); COMP_CWORD=1"
    asking = f'source "{COMPLETION}"; {words}; _bounce_watch_completion bounce-watch'
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f'{asking}; echo "${{COMPREPLY[@]}}"'],
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["incidents"]
