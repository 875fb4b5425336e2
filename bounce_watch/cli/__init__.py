"""The command line: one module per command. `app` imports a module when its command is called."""

import os
import signal
import sys


def main() -> None:
    """Run the program; print a message and exit with a status for each expected error."""
    _settle_in()
    from bounce_watch.cli.app import app

    try:
        try:
            app(prog_name="bounce-watch")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # a reader closed the pipe early (`| head`); the signal would end a service too
        _discard_output()
        raise SystemExit(1) from None
    except Exception as error:
        from bounce_watch.cli.common.exit_status import report, status_of

        status = status_of(error)
        if status is None:
            raise
        if isinstance(error, OSError):
            _discard_output()
        report(error, status)


def _settle_in() -> None:
    """Take any environment: closed streams, and any umask, for what we write is for its owner."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # else the next file that is opened would get its number
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    os.umask(0o077)
    _drop_unreadable_zone()
    if "run" in sys.argv and not {"--once", "--dry-run"} & set(sys.argv):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the service can take it as a reload


def _drop_unreadable_zone() -> None:
    """Take UTC, as the C library does, if TZ names a file that is no time zone; Babel would raise."""
    place = os.environ.get("TZ", "").removeprefix(":")
    if not os.path.exists(place):  # noqa: PTH110
        return
    from struct import error as TooShort  # noqa: N812
    from zoneinfo import ZoneInfo

    try:
        with open(place, "rb") as file:  # noqa: PTH123
            ZoneInfo.from_file(file)
    except (OSError, ValueError, LookupError, TooShort):
        sys.stderr.write("bounce-watch: TZ names a file that is no time zone; UTC is used instead\n")
        os.environ["TZ"] = "UTC0"


def _discard_output() -> None:
    """Let what is left in the buffer of stdout go nowhere, so that the interpreter can end in silence."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
