"""Does the file itself still hold a person's address, in room that no row uses?"""

import re
from pathlib import Path

from bounce_watch.store.privacy_forms import Named
from bounce_watch.store.upkeep_file import companions

_STEP = 4 * 1024 * 1024
_OVERLAP = 4096
"""Longer than an address in any form."""


def is_in_files(path: Path, person: Named) -> bool:
    """Tell whether the bytes of the store or its log hold the address, even as a part of a longer one.

    Fields of a row follow one another without a sign between them, so that nobody can tell where one ends.
    """
    files = [file for file in (path, *companions(path)) if file.name.endswith(("-shm",)) is False]
    return any(_is_in(file, _bytes_of(person)) for file in files if file.exists())


def _bytes_of(person: Named) -> re.Pattern[bytes]:
    dot = rb"(?:\.|\[\.\])"
    local, domain = (
        dot.join(re.escape(piece.encode()) for piece in part.split("."))
        for part in (person.local, person.domain)
    )
    return re.compile(local + rb"(?:@|\[@\]|%40|\+40|=40|=|_)" + domain, re.IGNORECASE)


def _is_in(file: Path, pattern: re.Pattern[bytes]) -> bool:
    before = b""
    with file.open("rb") as content:
        while block := content.read(_STEP):
            if pattern.search(before + block):
                return True
            before = block[-_OVERLAP:]
    return False
