"""Check for free space: while the store's disk has little left, mail stays in the mailbox.

On a full disk not even a deletion can be written: SQLite's log needs space.
"""

import shutil

from bounce_watch.config.models import Config
from bounce_watch.store import StoreFull

_MEGABYTE = 1024 * 1024


def require_room(config: Config) -> None:
    """Raise StoreFull, before anything is written, when less than `store.keep_free_mb` is left."""
    folder, least = config.store.path.parent, config.store.keep_free_mb
    if config.store.url is not None:  # we cannot see the server's disk
        return
    free = shutil.disk_usage(folder).free / _MEGABYTE
    if free < least:
        raise StoreFull(
            f"Only {free:.0f} MB are free in {folder}: no mail is fetched, it waits in the mailbox.",
            f"Free space there, or lower keep_free_mb in [store], which is {least:g}; we go on by ourselves.",
        )
