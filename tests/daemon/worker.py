"""Run the program in a process forked from one with all imports done: ten times faster to start."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from bounce_watch.cli import main, run  # noqa: F401 - warm
from bounce_watch.daemon import reload  # noqa: F401 - warm


def work(arguments: list[str], environ: Mapping[str, str], log: Path) -> None:
    """Run the program with its arguments; what it says on stderr goes to a file."""
    os.environ.update(environ)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 2)
    sys.argv = ["bounce-watch", *arguments]
    main()
