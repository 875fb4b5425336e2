"""The recipe of the image and the compose file: linted always, built and run in the proof."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.documented import ROOT
from tests.pipeline.conftest import CONFIG, ndr
from tests.servers.processes import need

FOLDER = ROOT / "container"
RECIPE = (FOLDER / "Containerfile").read_text(encoding="utf-8")


def run(*command: str | Path, status: int = 0) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=500)
    assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def own(tool: str) -> Path:
    return Path(sys.executable).with_name(tool)


def test_the_linter_of_container_recipes_finds_nothing() -> None:
    assert run(own("hadolint"), FOLDER / "Containerfile") == ""


def test_the_compose_file_fits_its_schema() -> None:
    """The schema is that of the Compose specification, as the checker ships it."""
    run(own("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", FOLDER / "compose.yaml")


def test_what_the_image_is_made_from_is_in_the_build_context() -> None:
    """The list of what is let in and what the wheel needs are two files."""
    kept = re.findall(r"(?m)^!(\S+)$", (FOLDER / "Containerfile.dockerignore").read_text(encoding="utf-8"))
    wheel = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[tool.hatch.build.targets.sdist]")[0]
    folders = re.findall(r'(?m)^"(\w+)" = "(?:share|bounce_watch)', wheel)
    assert {*folders, "bounce_watch", "pyproject.toml", "README.md", "LICENSE"} == set(kept)


def test_the_limits_of_the_service_and_of_the_container_are_the_same() -> None:
    unit = (ROOT / "systemd" / "bounce-watch.service").read_text(encoding="utf-8")
    compose = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    memory, tasks = re.search(r"MemoryMax=(\d+)M", unit), re.search(r"TasksMax=(\d+)", unit)
    assert memory is not None
    assert tasks is not None
    assert f"mem_limit: {memory[1]}m\n" in compose
    assert f"pids_limit: {tasks[1]}\n" in compose


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Path]]:
    """Build the image on a Debian that debootstrap makes; yield its settings and its root file system."""
    need("buildah", "debootstrap", "unshare", root=True)
    folder = tmp_path_factory.mktemp("image")
    os.environ.update(STORAGE_DRIVER="vfs", BUILDAH_ISOLATION="chroot")
    buildah = ("buildah", "--root", folder / "storage", "--runroot", folder / "run")
    run("debootstrap", "--variant=minbase", "--include=python3,python3-venv", "bookworm", folder / "base")
    made = run(*buildah, "from", "scratch").strip()
    run(*buildah, "copy", made, folder / "base", "/")
    run(*buildah, "config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin", made)
    run(*buildah, "commit", made, "localhost/base")
    # The build reaches the registry of packages as this machine does.
    ways = [Path("/etc/pip.conf"), Path("/etc/ssl/certs/ca-certificates.crt")]
    pip = [f"--volume={path}:{path}:ro" for path in ways if path.exists()]
    run(
        *buildah, "bud", "--pull-never", "--format", "docker", "--build-arg", "BASE=localhost/base", *pip,
        "--ignorefile", FOLDER / "Containerfile.dockerignore", "--file", FOLDER / "Containerfile",
        "--tag", "localhost/bounce-watch", ROOT,
    )  # fmt: skip
    about = json.loads(run(*buildah, "inspect", "--type", "image", "localhost/bounce-watch"))
    container = run(*buildah, "from", "--pull-never", "localhost/bounce-watch").strip()
    yield about["Docker"]["config"], Path(run(*buildah, "mount", container).strip())
    run(*buildah, "umount", "--all")
    shutil.rmtree(folder, ignore_errors=True)


def inside(image: tuple[dict[str, Any], Path], folder: Path, command: list[str]) -> list[str]:
    """Return what runs a command in the image as its user, on a read-only root, with a volume and /tmp."""
    settings, root = image
    mounts = (
        f"mount --bind {root} {root}; mount --bind {folder} {root}/var/lib/bounce-watch;"
        f"mount -t tmpfs tmpfs {root}/tmp; mount -t proc proc {root}/proc; mount --bind /dev {root}/dev;"
        f"mount -o remount,ro,bind {root}; cd /;"
    )
    enter = f'{mounts} exec chroot --userspec={settings["User"]} --groups= {root} "$@"'
    names = [
        *settings["Env"],
        "HOME=/var/lib/bounce-watch",
        "BOUNCE_WATCH_CONFIG=/var/lib/bounce-watch/c.toml",
    ]
    clean = ["env", "-i", *names, *command]
    return ["unshare", "-mpf", "--kill-child", "--propagation", "private", "sh", "-euc", enter, "sh", *clean]


@pytest.mark.proof
def test_the_image_works_as_an_ordinary_user_on_a_read_only_root(
    image: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    """The service reads a mailbox there, and the health check says so, and says when it has ended."""
    settings, root = image
    assert settings["User"] == "10001:10001"
    assert not list(root.glob("source")) + list(root.glob("usr/bin/gcc*"))
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mailbox" / name).mkdir(parents=True)
    (tmp_path / "mailbox" / "new" / "1").write_bytes(ndr())
    (tmp_path / "c.toml").write_text(CONFIG)
    run("chown", "-R", "10001:10001", tmp_path)
    tmp_path.chmod(0o711)

    run(*inside(image, tmp_path, ["sh", "-c", "! touch /opt/bounce-watch/x && touch /tmp/x"]))
    check = settings["Healthcheck"]["Test"][1:]
    run(*inside(image, tmp_path, check), status=1)
    service = subprocess.Popen(
        inside(image, tmp_path, settings["Entrypoint"] + settings["Cmd"]), start_new_session=True
    )
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(inside(image, tmp_path, check), check=False, capture_output=True).returncode:
            assert time.monotonic() < deadline
            assert service.poll() is None
            time.sleep(0.5)
        asked = inside(image, tmp_path, ["bounce-watch", "history", "--json"])
        assert "lena@larkfield.example" in run(*asked)
    finally:
        os.killpg(service.pid, signal.SIGTERM)
        service.wait(timeout=30)
