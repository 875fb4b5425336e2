"""Limits for slow and endless responses.

A socket's timeout restarts with every byte: at one byte per second no read ever times out, and an endless
response fills the memory.
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SLOWEST = 1024
"""Bytes per second that a server must reach once the socket's timeout has passed."""

LONGEST_ANSWER = 32 * 1024 * 1024
"""Maximum bytes of one response: four times what is requested at once, in case sizes are understated."""

OPENING = 3
"""Maximum number of timeouts for everything before TLS, which a plain socket does not limit."""


class PatientSocket(ssl.SSLSocket):
    """Ends a response that is too slow or endless. Only the time spent waiting for bytes counts.

    A socket without timeout, as in IDLE, waits without limit.
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
    """Call `hang_up` from another thread if the block takes longer, so that its reads end."""
    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
