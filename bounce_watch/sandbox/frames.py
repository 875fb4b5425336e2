"""What goes over the pipes: frames of a length and that many bytes, little-endian.

Down go messages with their names, up come pickles of our own values. The reading process handles hostile
bytes, so what it sends is not trusted either: only the classes of the model are ever built from it.


Messages in batches of few messages and few bytes."""

import io
import pickle
import struct
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, BinaryIO, NamedTuple, TypeVar

MAX_ANSWER = 64 * 1024 * 1024

_LENGTH = struct.Struct("<Q")
_PAIR = struct.Struct("<II")
_OUR_VALUES = "bounce_watch.model."
_PLAIN_VALUES = frozenset({("datetime", "datetime"), ("datetime", "timezone"), ("datetime", "timedelta")})


class ReadRequest(NamedTuple):
    """A message to read: its name, which comes back in its lines, and its bytes."""

    name: str
    raw: bytes


def pack_requests(requests: Sequence[ReadRequest]) -> bytes:
    """Return the payload of a request."""
    pieces: list[bytes] = []
    for request in requests:
        name = request.name.encode("utf-8", "surrogateescape")
        pieces += (_PAIR.pack(len(name), len(request.raw)), name, request.raw)
    return b"".join(pieces)


def unpack_requests(payload: bytes) -> list[ReadRequest]:
    requests, at = [], 0
    while at < len(payload):
        name_length, raw_length = _PAIR.unpack_from(payload, at)
        start = at + _PAIR.size
        middle, at = start + name_length, start + name_length + raw_length
        requests.append(
            ReadRequest(payload[start:middle].decode("utf-8", "surrogateescape"), payload[middle:at])
        )
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
    """Builds values of the model and times, nothing else: no function of any other module can be named."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN_VALUES or (module.startswith(_OUR_VALUES) and "." not in name):
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ in (module, "datetime"):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no value of ours")


def pack_answer(values: Sequence[object]) -> bytes:
    return pickle.dumps(values, protocol=5)


def unpack_answer(payload: bytes) -> list[Any]:
    """Return the values of an answer. Raises UnpicklingError for anything but our own values."""
    values = _OnlyOurValues(io.BytesIO(payload)).load()
    if not isinstance(values, list):
        raise pickle.UnpicklingError("an answer is a list")
    return values


T = TypeVar("T")


def batched(
    items: Iterable[T], size_of: Callable[[T], int], *, most: int, most_bytes: int
) -> Generator[list[T], None, None]:
    """Yield items in their order, at most so many and so many bytes together; one that is larger goes alone.

    What `items` raises is raised behind the batch before it.
    """
    batch: list[T] = []
    size = 0
    try:
        for item in items:
            more = size_of(item)
            if batch and (len(batch) >= most or size + more > most_bytes):
                yield batch
                batch, size = [], 0
            batch.append(item)
            size += more
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
