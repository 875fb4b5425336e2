"""Whatever surrounds the program: closed or full streams, any umask, few files, no home, no right to read."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from bounce_watch.cli.common.exit_status import Exit, report, status_of

pytestmark = pytest.mark.slow

PROGRAM = f"{sys.executable} -m bounce_watch"
INIT = (
    f"{PROGRAM} init --yes --organisation X --domain x.example --mailbox b@x.example --maildir m "
    "--admin a@x.example --support phone --out-folder sent"
)


def shell(code: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run shell code in a folder with this environment and nothing else."""
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        ["sh", "-c", code], cwd=folder, env={"PYTHONPATH": root, **environ}, text=True, check=False,
        stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("explain 5.1.1 >&-", 0),
        ("explain 5.1.1 <&- >&- 2>&-", 0),
        ("init --output c.toml <&-", 2),
        ("explain 5.1.1 >/dev/full", 1),
        ("explain 5.1.1 --json >/dev/full", 1),
        ("parse . --json >/dev/full", 1),
        ("dns --help >/dev/full", 1),
    ],
)
def test_closed_and_full_streams_give_a_sentence_at_most(tmp_path: Path, code: str, status: int) -> None:
    (tmp_path / "mail.eml").write_text("Subject: lunch\n\nno report\n")
    done = shell(f"{PROGRAM} {code}", tmp_path)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert ("No space left" in done.stderr) == ("/dev/full" in code)


@pytest.mark.parametrize("umask", ["0777", "0000"])
def test_the_umask_neither_opens_nor_closes_what_we_write(tmp_path: Path, umask: str) -> None:
    """Folders were closed to ourselves with 0777, and what previews write was open to all with 0000."""
    init = f"umask {umask}; {INIT} --output sub/c.toml"
    code = f"{init} && {PROGRAM} templates preview mailbox_full --language en --out texts"
    done = shell(code, tmp_path)
    assert done.returncode == 0, done.stderr
    paths = [path for path in tmp_path.rglob("*") if "__pycache__" not in str(path)]
    assert {path.name for path in paths} >= {"sub", "c.toml", "texts"}
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o700, 0o600}


def test_few_open_files_and_an_empty_environment_are_enough(tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_text("Subject: lunch\n\nno report\n")
    done = shell(f"ulimit -n 64; {PROGRAM} parse . --json", tmp_path, LC_ALL="C", TZ="Foo/Bar")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """What the link named was overwritten."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "texts").mkdir()
    texts = [tmp_path / "texts" / f"mailbox_full.en.{kind}" for kind in ("txt", "html")]
    links = [tmp_path / "c.toml", *texts]
    for link in links:
        link.symlink_to(victim)
    preview = f"{PROGRAM} templates preview mailbox_full --language en --out texts"
    done = shell(f"{INIT} --force --output c.toml && {preview}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert victim.read_text() == "mine"
    assert not any(link.is_symlink() for link in links)


@pytest.mark.parametrize("zone", ["{}/no-zone", ":{}/no-zone", "{}", "no-zone", "{}/cut"])
def test_a_time_zone_that_is_no_zone_is_told_and_taken_as_utc(tmp_path: Path, zone: str) -> None:
    (tmp_path / "no-zone").write_text("junk")
    (tmp_path / "cut").write_bytes(b"TZif2")
    done = shell(f"{PROGRAM} templates list", tmp_path, TZ=zone.format(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
    assert "TZ names a file" in done.stderr


def test_a_file_that_may_not_be_read_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "/etc/bounce-watch/config.toml")
    status = status_of(error)
    assert status is Exit.REFUSED
    with pytest.raises(SystemExit):
        report(error, status)
    assert capsys.readouterr().err == "bounce-watch: /etc/bounce-watch/config.toml: Permission denied\n"
