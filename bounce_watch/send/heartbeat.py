"""A heartbeat: request a URL after each success, so that a monitor notices when the requests stop.

Best effort in a thread of its own: one request at a time, at most one per `PAUSE` seconds.
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
    """Requests `url`, which is a secret. `pause` is the minimum between two requests, in seconds."""

    def __init__(self, url: str, *, pause: float = PAUSE) -> None:
        self._url = url
        self._pause = pause
        self._last = float("-inf")
        self._thread: threading.Thread | None = None
        self._was_accepted = True

    def beat(self) -> None:
        """Request the URL, unless that was done within the pause or is still running."""
        now = time.monotonic()
        busy = self._thread is not None and self._thread.is_alive()
        if busy or now - self._last < self._pause:
            return
        self._last = now
        self._thread = threading.Thread(target=self._request, name="heartbeat", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait for the running request."""
        if self._thread is not None:
            self._thread.join(_LATE)

    def _request(self) -> None:
        import requests

        try:
            with requests.get(self._url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                heard, why = answer.ok, f"status {answer.status_code}"
        except (requests.RequestException, ValueError) as error:
            heard, why = False, type(error).__name__
        if not heard and self._was_accepted:
            log.warning("heartbeat_not_heard", host=_host(self._url), why=why)
        self._was_accepted = heard


def _host(url: str) -> str:
    """Return the part of the URL that may be shown."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
