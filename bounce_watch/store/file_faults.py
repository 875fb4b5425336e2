"""What it means that a file of the store could not be opened or written."""

import errno

from bounce_watch.store.errors import StoreError, StoreFull, StoreNotWritable, StoreTemporary

_FULL = {errno.ENOSPC, errno.EDQUOT}
_PASSING = {errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EFBIG}


def file_fault(what: str, error: OSError, repair: str) -> StoreError:
    """Return the fault: a full disk passes, a missing right does not. `repair` is for the right."""
    text = f"{what}: {error.strerror}."
    if error.errno in _FULL:
        return StoreFull(text, "Free space; we go on by ourselves.")
    if error.errno in _PASSING:
        return StoreTemporary(text, "Check disk, memory and limits; we try again.")
    return StoreNotWritable(text, repair)
