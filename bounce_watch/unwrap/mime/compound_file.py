"""The properties in an Outlook item (.msg): a compound file of streams [MS-OXMSG], read with olefile.

olefile trusts the sizes that a file states and follows loops. So the stated sizes are checked against the
size of the file first: otherwise streams that share their bytes make a small item hold many large ones.
"""

import io
import struct
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from bounce_watch.unwrap.mime.limits import MAX_MESSAGE, MAX_TEXT
from bounce_watch.unwrap.mime.text import decode

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
MAX_ENTRIES = 1500

_HEADER = struct.Struct("<30xHH6xII16xI4xI")  # [MS-CFB] section 2.2: sizes of sectors, sectors of each table
_HEADER_BYTES = 512
_PROPERTY = struct.Struct("<HHI8s")  # [MS-OXMSG] section 2.4.2.1: type, number, flags, value
_BEFORE_PROPERTIES = {"": 32, "embedded": 24, "part": 8}
_INTEGER, _STRING8, _UNICODE, _BINARY = 0x0003, 0x001E, 0x001F, 0x0102
_CODE_PAGE = 0x3FFD


def is_readable() -> bool:
    """Tell whether Outlook items can be read: olefile is an optional extra."""
    try:
        import olefile  # noqa: F401
    except ImportError:
        return False
    return True


def open_item(content: bytes) -> "Storage | None":
    """Return the top of an item, None without olefile and for a file that is not sound."""
    if not is_readable() or len(content) > MAX_MESSAGE or not _has_what_it_states(content):
        return None
    import olefile

    try:
        ole: Any = olefile.OleFileIO(io.BytesIO(content))
        if ole.root.size > len(content) or len(ole.direntries) > MAX_ENTRIES:
            return None
        streams = _Streams(ole)
        return Storage(streams) if streams.size <= len(content) else None
    except Exception:  # noqa: BLE001 - olefile raises any error on hostile bytes
        return None


def _has_what_it_states(content: bytes) -> bool:
    """Tell whether the sector tables that the header states fit into the file."""
    if len(content) < _HEADER_BYTES or not content.startswith(MAGIC):
        return False
    shift, mini_shift, *sectors = _HEADER.unpack_from(content)
    return shift in (9, 12) and mini_shift == 6 and sum(sectors) << shift <= len(content)


class _Streams:
    """The streams of a file by their path. `size` is their total size in bytes."""

    def __init__(self, ole: Any) -> None:
        self._ole = ole
        self.storages = sorted(tuple(path) for path in ole.listdir(streams=False, storages=True))
        paths = ole.listdir()
        self.size = sum(map(ole.get_size, paths))
        self._paths = frozenset(map(tuple, paths))

    def read(self, *path: str) -> bytes | None:
        """Return a stream, None when it is absent or broken."""
        if path not in self._paths:
            return None
        try:
            content: bytes = self._ole.openstream(list(path)).read()
        except Exception:  # noqa: BLE001 - hostile bytes
            return None
        return content

    @cached_property
    def charset(self) -> str | None:
        """The code page of the strings that are not Unicode."""
        page = Storage(self).integer(_CODE_PAGE)
        return f"cp{page}" if page else None


class Storage:
    """One object of an item: the item itself, a recipient, an attachment, an item inside it.

    Properties have numbers [MS-OXPROPS]; absent and broken ones are None.
    """

    def __init__(self, streams: _Streams, path: tuple[str, ...] = (), kind: str = "") -> None:
        self._streams = streams
        self._path = path
        self._kind = kind

    def text(self, number: int) -> str | None:
        """Return a string, at most 64 Ki characters, without NULs."""
        found = self._variable(number, _UNICODE)
        if found is not None:
            return found[: 2 * MAX_TEXT].decode("utf-16-le", "replace").replace("\0", "")
        found = self._variable(number, _STRING8)
        return None if found is None else decode(found[:MAX_TEXT], self._streams.charset)

    def binary(self, number: int) -> bytes | None:
        return self._variable(number, _BINARY)

    def integer(self, number: int) -> int | None:
        """Return a number of 32 bits, negative ones too."""
        stream = self._streams.read(*self._path, "__properties_version1.0") or b""
        start, step = _BEFORE_PROPERTIES[self._kind], _PROPERTY.size
        for at in range(start, min(len(stream), MAX_TEXT) - step + 1, step):
            kind, found, _, value = _PROPERTY.unpack_from(stream, at)
            if found == number and kind == _INTEGER:
                return int.from_bytes(value[:4], "little", signed=True)
        return None

    def parts(self, prefix: str) -> "Iterator[Storage]":
        """Yield the recipients (`__recip_`) or attachments (`__attach_`) of this object, in order."""
        depth = len(self._path)
        for path in self._streams.storages:
            if len(path) == depth + 1 and path[:depth] == self._path and path[-1].startswith(prefix):
                yield Storage(self._streams, path, "part")

    def embedded(self) -> "Storage | None":
        """Return the item that an attachment holds, None when it holds something else."""
        path = (*self._path, "__substg1.0_3701000D")
        return Storage(self._streams, path, "embedded") if path in self._streams.storages else None

    def _variable(self, number: int, kind: int) -> bytes | None:
        return self._streams.read(*self._path, f"__substg1.0_{number:04X}{kind:04X}")
