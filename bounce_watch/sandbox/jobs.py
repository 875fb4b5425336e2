"""The two jobs of a reading process: read messages, or read, judge and write them as JSON lines."""

import json
from collections.abc import Callable
from enum import StrEnum
from functools import cache

from bounce_watch.classify import Catalogue, judge, load_catalogue
from bounce_watch.model import Reading, Report, Unreadable
from bounce_watch.parse import read
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.json_output import as_object
from bounce_watch.shipped_files import catalogue_text

_OUT_OF_MEMORY = "the reader failed on it: MemoryError"


class Job(StrEnum):
    """`readings`: a tuple of readings. `lines`: bytes, one line of JSON for each report found."""

    READINGS = "readings"
    LINES = "lines"


def work_of(job: Job) -> Callable[[ReadRequest], object]:
    """Return the function that does a job for one message."""
    return _lines if job is Job.LINES else _readings


def _readings(request: ReadRequest) -> tuple[Reading, ...]:
    """Read one message. Raises MemoryError, which `read` reports as an unreadable message."""
    readings = read(request.raw)
    first = readings[0]
    if isinstance(first, Unreadable) and _OUT_OF_MEMORY in first.reason:
        raise MemoryError
    return readings


def _lines(request: ReadRequest) -> bytes:
    catalogue = shipped_catalogue()
    return b"".join(_line(request.name, reading, catalogue) for reading in _readings(request))


def _line(name: str, reading: Reading, catalogue: Catalogue) -> bytes:
    bounces = judge(reading, catalogue, None) if isinstance(reading, Report) else ()
    return line_of(as_object(name, reading, bounces))


def line_of(value: object) -> bytes:
    """Return an object as one line of JSON, ASCII only."""
    return json.dumps(value, ensure_ascii=True).encode("ascii") + b"\n"


@cache
def shipped_catalogue() -> Catalogue:
    return load_catalogue(catalogue_text())
