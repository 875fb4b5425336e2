"""The command line, one file a command group. Modules load what they need only when called."""

import signal
import sys


def main() -> None:
    """Run the program; turn every expected fault into one clear sentence and an exit status."""
    # A reader that closes the pipe early (`| head`) is no fault.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    from bounce_watch.cli.app import app

    try:
        app()
    except Exception as error:
        from bounce_watch.cli.common.exit_status import report, status_of

        status = status_of(error)
        if status is None:
            raise
        report(error, status)
