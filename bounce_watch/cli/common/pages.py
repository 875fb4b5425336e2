"""HTML pages: write them for their owner only, open them in a browser, take them from our own messages."""

import errno
import os
import sys
import tempfile
import webbrowser
from email import message_from_bytes
from email.policy import compat32
from pathlib import Path

import typer


def make_folder(path: Path, param_hint: str) -> None:
    """Make a folder if it is not there. Raises BadParameter when it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{path} cannot be made: {error.strerror}"
        raise typer.BadParameter(message, param_hint=param_hint) from None


def write_page(path: Path, text: str, param_hint: str) -> None:
    """Write a page as `write_privately` does. Raises BadParameter when it cannot be written."""
    try:
        write_privately(path, text)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise typer.BadParameter(message, param_hint=param_hint) from None


def write_privately(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file completely or not at all, readable by its owner only. Raises OSError.

    A link is replaced, not followed; a device or a folder is left as it is.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_new_file(path: Path, content: bytes, param_hint: str) -> None:
    """Write a new file for its owner only; never over a file or through a link. Raises BadParameter."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise typer.BadParameter(message, param_hint=param_hint) from None


def open_page(path: Path) -> bool:
    """Open a page in the user's browser; return False when there is no screen."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    return webbrowser.open(path.absolute().as_uri())


def html_of(content: bytes) -> str:
    """Return the HTML part of a message that we wrote, empty when it has none. Never for other messages."""
    for part in message_from_bytes(content, policy=compat32).walk():
        if part.get_content_type() == "text/html":
            payload = part.get_payload(decode=True)
            return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return ""
