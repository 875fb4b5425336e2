"""A heartbeat: ask a URL after good work, so that somebody notices when it no longer comes.

Best effort in a thread of its own: one question at a time, never two for what one minute brought.
"""

import threading
import time
from urllib.parse import urlsplit

import structlog

PAUSE = 60.0
TIMEOUT = 10.0
_LATE = 2 * TIMEOUT

log = structlog.get_logger()


class Heartbeat:
    """`url` is a secret: who knows it can beat for us. `pause` is the least time between two, in seconds."""

    def __init__(self, url: str, *, pause: float = PAUSE) -> None:
        self._url = url
        self._pause = pause
        self._last = float("-inf")
        self._thread: threading.Thread | None = None
        self._was_heard = True

    def beat(self) -> None:
        """Ask, unless that was done within the pause or is still at work."""
        now = time.monotonic()
        busy = self._thread is not None and self._thread.is_alive()
        if busy or now - self._last < self._pause:
            return
        self._last = now
        self._thread = threading.Thread(target=self._ask, name="heartbeat", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait for the question that is at work."""
        if self._thread is not None:
            self._thread.join(_LATE)

    def _ask(self) -> None:
        import requests

        try:
            with requests.get(self._url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                heard, why = answer.ok, f"status {answer.status_code}"
        except (requests.RequestException, ValueError) as error:
            heard, why = False, type(error).__name__
        if not heard and self._was_heard:
            log.warning("heartbeat_not_heard", host=_host(self._url), why=why)
        self._was_heard = heard


def _host(url: str) -> str:
    """Return what of the URL may be shown."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
