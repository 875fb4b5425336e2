"""How slowly a server may answer, and how much: a time-out of the socket counts from the last byte only.

At one byte a second no read ever times out, and an answer without an end fills the memory.
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SLOWEST = 1024
"""Bytes a second that a server must reach once the socket's time-out has passed."""

LONGEST_ANSWER = 32 * 1024 * 1024
"""Bytes between two things that we say: four times what is asked for at once, should sizes be understated."""

OPENING = 3
"""Time-outs that the words before TLS may take together: a plain socket does not count them itself."""


class PatientSocket(ssl.SSLSocket):
    """Ends an answer that comes too slowly or has no end. Time counts while we wait for bytes.

    A socket without time-out, as while we listen for news (IDLE), waits as long as it likes.
    """

    _waited = 0.0
    _received = 0

    def send(self, data: Any, flags: int = 0) -> int:
        self._waited, self._received = 0.0, 0
        return super().send(data, flags)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        buffer = bytearray(buflen)
        return bytes(buffer[: self.recv_into(buffer, buflen, flags)])

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        self._check()
        began = time.monotonic()
        count = super().recv_into(buffer, nbytes, flags)
        self._waited += time.monotonic() - began
        self._received += count
        return count

    def _check(self) -> None:
        limit = self.gettimeout()
        if limit and self._waited > limit + self._received / SLOWEST:
            raise TimeoutError(f"only {self._received} bytes came in {self._waited:.0f} seconds")
        if self._received > LONGEST_ANSWER:
            raise ConnectionAbortedError(f"an answer does not end after {self._received} bytes")


@contextmanager
def within(seconds: float, hang_up: Callable[[], None]) -> Iterator[None]:
    """Call `hang_up` from another thread when the block takes longer, so that its reads end."""
    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
