"""The frames between a process and its reading process: a length, little-endian, and that many bytes.

Requests and answers are pickles. The reading process handles hostile bytes, so its answers are not trusted:
only classes of the model are built from them.
"""

import io
import pickle
import struct
from collections.abc import Sequence
from enum import Enum
from typing import Any, BinaryIO, NamedTuple

MAX_ANSWER = 64 * 1024 * 1024

_LENGTH = struct.Struct("<Q")
_OUR_VALUES = "bounce_watch.model."
_PLAIN_VALUES = frozenset({("datetime", "datetime"), ("datetime", "timezone"), ("datetime", "timedelta")})


class ReadRequest(NamedTuple):
    """A message to read: its name, which its JSON lines repeat, and its bytes."""

    name: str
    raw: bytes


class _MembersByValue(pickle.Pickler):
    """Packs members of enumerations by value: Python 3.11.0 to 3.11.3 asks for getattr, which is refused."""

    def reducer_override(self, value: object) -> Any:
        return (type(value), (value.value,)) if isinstance(value, Enum) else NotImplemented


def pack(values: Sequence[object]) -> bytes:
    """Return the payload of a request or an answer."""
    payload = io.BytesIO()
    _MembersByValue(payload, protocol=5).dump(values)
    return payload.getvalue()


def unpack_requests(payload: bytes) -> list[ReadRequest]:
    requests: list[ReadRequest] = pickle.loads(payload)  # noqa: S301 - our own parent process sent it
    return requests


def frame(payload: bytes) -> bytes:
    return _LENGTH.pack(len(payload)) + payload


HEAD = _LENGTH.size


def length_in(head: bytes) -> int:
    """Return how many bytes follow the head of a frame."""
    length: int = _LENGTH.unpack(head)[0]
    return length


def read_frame(stream: BinaryIO) -> bytes | None:
    """Return the next payload, None at the end of the stream."""
    head = stream.read(HEAD)
    if len(head) < HEAD:
        return None
    payload = stream.read(length_in(head))
    return payload if len(payload) == length_in(head) else None


class _OnlyOurValues(pickle.Unpickler):
    """Builds only values of the model and times, never anything of another module."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN_VALUES or (module.startswith(_OUR_VALUES) and "." not in name):
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ in (module, "datetime"):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not a value of the model")


def unpack_answer(payload: bytes) -> list[Any]:
    """Return the values of an answer. Raises UnpicklingError for anything but values of the model."""
    values = _OnlyOurValues(io.BytesIO(payload)).load()
    if not isinstance(values, list):
        raise pickle.UnpicklingError("an answer is a list")
    return values
