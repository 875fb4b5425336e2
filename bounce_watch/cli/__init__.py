"""The command line: one module per command. `app` imports a module when its command is called."""

import os
import sys


def main() -> None:
    """Run the program; print a message and exit with a status for each expected error."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    from bounce_watch.cli.app import app

    try:
        app(prog_name="bounce-watch")
    except BrokenPipeError:  # a reader closed the pipe early (`| head`); the signal would end a service too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        from bounce_watch.cli.common.exit_status import report, status_of

        status = status_of(error)
        if status is None:
            raise
        report(error, status)
