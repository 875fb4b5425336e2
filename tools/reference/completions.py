"""The completion scripts of the shells, as typer writes them for the program."""

import os
import subprocess
import sys

PLACES = {
    "bash": "share/bash-completion/completions/bounce-watch",
    "zsh": "share/zsh/site-functions/_bounce-watch",
    "fish": "share/fish/vendor_completions.d/bounce-watch.fish",
}
"""Where each shell looks below a prefix such as /usr/local."""


def script(shell: str) -> str:
    """Return what the program prints when it is asked for its completion."""
    asking = {**os.environ, "_BOUNCE_WATCH_COMPLETE": f"source_{shell}"}
    call = [sys.executable, "-c", "from bounce_watch.cli.app import app; app(prog_name='bounce-watch')"]
    done = subprocess.run(call, env=asking, check=True, capture_output=True, text=True)  # noqa: S603
    return f"{done.stdout.strip()}\n"
