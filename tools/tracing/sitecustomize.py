"""Write down each function of a package the first time a process calls it.

Python imports this module when it starts, in every process whose PYTHONPATH names this folder. A line goes
straight into the file, because a process that reads mail is killed when it isn't needed any longer.
"""

import os
import sys
import threading
from types import FrameType

_PACKAGE = os.environ["TRACED_PACKAGE"] + os.sep
_TRACE = os.environ["TRACE_FILE"]
_CO_OPTIMIZED = 1
"""The flag of functions, which module and class bodies don't have (`inspect.CO_OPTIMIZED`)."""

_seen: set[tuple[str, int, str]] = set()
_thread = threading.local()


def _profile(frame: FrameType, event: str, _: object) -> None:
    code = frame.f_code
    if event not in ("call", "return") or not code.co_filename.startswith(_PACKAGE):
        return
    if code.co_name == "<module>":
        if frame.f_globals["__name__"] != "__main__":
            _thread.imports = getattr(_thread, "imports", 0) + (1 if event == "call" else -1)
    elif event == "call" and code.co_flags & _CO_OPTIMIZED and not getattr(_thread, "imports", 0):
        _note((code.co_filename, code.co_firstlineno, code.co_qualname))


def _note(function: tuple[str, int, str]) -> None:
    file, line, name = function
    if function in _seen or name.rpartition(".")[2].startswith("<"):
        return
    _seen.add(function)
    # Opened each time: a process that begins as a copy closes all files that it finds open.
    trace = os.open(_TRACE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(trace, f"{os.getpid()}\t{file.removeprefix(_PACKAGE)}\t{line}\t{name}\n".encode())
    os.close(trace)


threading.setprofile(_profile)
sys.setprofile(_profile)
