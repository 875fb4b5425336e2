"""A headless Chromium of the machine, driven from a test; it is kept away from every network."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.servers.processes import STARTED, need

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync", "--disable-component-update")


@contextmanager
def start_browser() -> Iterator[Browser]:
    """Start the browser; the test is skipped (on CI: fails) when none is installed."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    need(program or _NAMES[0])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_QUIET))
        STARTED[f"Chromium {browser.version.split('.')[0]}"] += 1
        try:
            yield browser
        finally:
            browser.close()
