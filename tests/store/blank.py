"""A store without rows, migrated once for each process of tests: the migrations have tests of their own."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bounce_watch.store import Store


def lay_blank_store(path: Path) -> Path:
    """Put the file of a store that was opened once and never written to where a test opens its own."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(_blank())
    return path


@cache
def _blank() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "blank.db"
        Store.open(path).close()
        return path.read_bytes()
