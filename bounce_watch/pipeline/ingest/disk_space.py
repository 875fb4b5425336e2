"""Room on the disk: mail stays in the mailbox, which is the queue, while the store has little left.

On a full disk nothing can be written at all, not even what would delete something (SQLite's log needs room).
"""

import shutil
from collections.abc import Iterator

from bounce_watch.config.models import Config
from bounce_watch.model import Health
from bounce_watch.store import StoreFull

_MEGABYTE = 1024 * 1024


def require_room(config: Config) -> None:
    """Raise StoreFull, before anything is written, when less than `store.keep_free_mb` is left."""
    folder, least = config.store.path.parent, config.store.keep_free_mb
    if config.store.url is not None:  # the server's disk is its own matter
        return
    free = shutil.disk_usage(folder).free / _MEGABYTE
    if free < least:
        raise StoreFull(
            f"Only {free:.0f} MB are free in {folder}: no mail is fetched, it waits in the mailbox.",
            f"Free space there, or lower keep_free_mb in [store], which is {least:g}; we go on by ourselves.",
        )


def room(config: Config) -> Iterator[Health]:
    """Yield a line for the digest when mail waits for room on the disk."""
    try:
        require_room(config)
    except StoreFull as error:
        # What to do comes first: a long place is cut at the end of the line.
        yield Health(name="Disk", state="failure", text=f"Free space on the store's disk. {error}")
    except OSError:
        return
