"""Who sits at this machine: the name that stands in the audit and in the history of incidents."""

import getpass
import os


def account() -> str:
    """Return the account's name, behind sudo the one who called it; its number where it has no name."""
    try:
        return (os.environ.get("SUDO_USER") or getpass.getuser())[:80]
    except (KeyError, OSError):
        return str(os.getuid())
