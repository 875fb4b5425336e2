"""List what an installation brings along, with licenses, and ask for known vulnerabilities.

Run it with `make audit`. The exit status is 1 for an unknown license or a known vulnerability.
Where no advisories can be reached it says so: an audit without advisories is no all-clear.
`--lowest` prints the lowest versions that pyproject.toml admits, as constraints for pip.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PERMISSIVE = re.compile(r"\b(?:MIT|BSD|Apache|ISC|PSF|MPL|Mozilla|Unlicense|0BSD|Zlib|LGPL)", re.IGNORECASE)
"""Licenses that an MIT program may depend on."""
IN_FILES = {"dkimpy": "BSD-like, in its file LICENSE", "imapclient": "BSD-3-Clause, in its file COPYING"}
"""Licenses that only a file of the package states; read 2026-11."""


def direct() -> list[Requirement]:
    """Return what pyproject.toml requires to run, with all extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return [Requirement(line) for line in project["dependencies"] + extras]


def lowest() -> Iterator[str]:
    """Yield each direct requirement at its lowest version."""
    for requirement in direct():
        floor = next(one.version for one in requirement.specifier if one.operator in (">=", "==", "~="))
        yield f"{requirement.name}=={floor}"


def installed() -> dict[str, str]:
    """Return the version of every package that the program needs, direct or not."""
    found: dict[str, str] = {}
    waiting = [(one.name, tuple(one.extras)) for one in direct()]
    while waiting:
        name, extras = waiting.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # an extra or a platform that is not here
        if canonicalize_name(name) in found:
            continue
        found[canonicalize_name(name)] = package.version
        for line in package.requires or ():
            needed = Requirement(line)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append((needed.name, tuple(needed.extras)))
    return dict(sorted(found.items()))


def license_of(name: str) -> str:
    """Return the license that a package states, empty for none."""
    meta: Any = distribution(name).metadata
    classifiers = [line for line in meta.get_all("Classifier") or () if line.startswith("License ::")]
    stated = meta.get("License-Expression") or " ".join(line.rpartition(":: ")[2] for line in classifiers)
    found = str(stated or meta.get("License") or "").strip().partition("\n")[0][:60]
    return found if PERMISSIVE.search(found) else IN_FILES.get(name, found)


def vulnerabilities(packages: dict[str, str]) -> list[str] | None:
    """Return a line for each known vulnerability; None, after saying why, if there is no advisory data."""
    with tempfile.TemporaryDirectory() as folder:
        lock, answer = Path(folder) / "lock.txt", Path(folder) / "answer.json"
        lock.write_text("".join(f"{name}=={version}\n" for name, version in packages.items()))
        command = ["pip_audit", "--requirement", str(lock), "--no-deps", "--disable-pip", "--timeout", "15"]
        command += ["--progress-spinner", "off", "--format", "json", "--output", str(answer)]
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", *command], capture_output=True, text=True, check=False, timeout=300
        )
        if not answer.is_file():
            say(f"skipped: {(done.stderr.strip().splitlines() or ['pip-audit gave no answer'])[-1][:200]}")
            return None
        entries = json.loads(answer.read_text(encoding="utf-8"))["dependencies"]
    asked = [entry for entry in entries if "skip_reason" not in entry]
    say(f"advisories were found for {len(asked)} of {len(entries)} packages")
    if not asked:
        say("skipped: no advisory data can be reached from here")
        return None
    return [f"{entry['name']} {entry['version']}: {one['id']}" for entry in asked for one in entry["vulns"]]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> int:
    if "--lowest" in sys.argv[1:]:
        say("\n".join(lowest()))
        return 0
    packages = installed()
    licenses = {name: license_of(name) for name in packages}
    for name, version in packages.items():
        say(f"{name:<24} {version:<14} {licenses[name] or 'no license stated'}")
    wrong = [f"{name}: license {what!r}" for name, what in licenses.items() if not PERMISSIVE.search(what)]
    wrong += vulnerabilities(packages) or []
    say("\n".join(wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
