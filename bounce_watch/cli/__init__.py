"""The command line: one module per command. `app` imports a module when its command is called."""

import signal
import sys


def main() -> None:
    """Run the program; print a message and exit with a status for each expected error."""
    # A reader may close the pipe early (`| head`).
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    from bounce_watch.cli.app import app

    try:
        app(prog_name="bounce-watch")
    except Exception as error:
        from bounce_watch.cli.common.exit_status import report, status_of

        status = status_of(error)
        if status is None:
            raise
        report(error, status)
