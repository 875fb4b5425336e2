"""Room on the disk of the store: without it no message is fetched."""

import shutil

from bounce_watch.config.models import Config
from bounce_watch.store import StoreFull

MEGABYTE = 1024 * 1024


def require_room(config: Config) -> None:
    """Raise StoreFull if the disk of the store has less free space than `store.keep_free_mb`.

    Mail stays in the mailbox then. On a full disk not even a deletion can be written: SQLite's log needs
    space. The disk of a database server cannot be seen.
    """
    if config.store.url is not None:
        return
    folder, least = config.store.path.parent, config.store.keep_free_mb
    free = shutil.disk_usage(folder).free / MEGABYTE
    if free < least:
        raise StoreFull(
            f"Only {free:.0f} MB are free in {folder}: no mail is fetched, it waits in the mailbox.",
            f"Free space there, or lower keep_free_mb in [store], which is {least:g}; we go on by ourselves.",
        )
