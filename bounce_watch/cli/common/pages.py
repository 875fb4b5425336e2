"""Pages written for one person: only they can read the file, and a browser can be opened on it.

Look into mail that we wrote ourselves. Never for mail that came from outside."""

import os
import sys
import tempfile
import webbrowser
from email import message_from_bytes
from email.policy import compat32
from pathlib import Path


def write_privately(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def open_page(path: Path) -> bool:
    """Open a page in the person's browser; return False where there is no screen to show it on."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    return webbrowser.open(path.absolute().as_uri())


def html_of(content: bytes) -> str:
    """Return the HTML part of one of our own mails, empty when it has none."""
    for part in message_from_bytes(content, policy=compat32).walk():
        if part.get_content_type() == "text/html":
            payload = part.get_payload(decode=True)
            return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return ""
