"""Drop root's rights for a moment, so that tests of permissions mean the same for every user."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_ordinary_user() -> Iterator[Path]:
    """Yield a folder of the current user; inside the block, root acts as the user `nobody`."""
    folder = Path(tempfile.mkdtemp(prefix="bounce-watch-"))
    was_root = os.getuid() == 0
    nobody = pwd.getpwnam("nobody").pw_uid
    if was_root:
        os.chown(folder, nobody, -1)
        os.setresuid(nobody, nobody, 0)
    try:
        yield folder
    finally:
        if was_root:
            os.setresuid(0, 0, 0)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o700)
        shutil.rmtree(folder)
