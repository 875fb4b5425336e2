"""One file a format of report; their order is the tuple FORMATS."""

from typing import Protocol

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.formats import arf, exchange_2003, exchange_diagnostic, exchange_online, rfc3464
from bounce_watch.unwrap import Wrapped


class Format(Protocol):
    """A module with a name and a reader. The reader returns None for what it does not know."""

    NAME: str

    def read(self, wrapped: Wrapped) -> ReportFields | None: ...


FORMATS: tuple[Format, ...] = (
    rfc3464,
    arf,
    exchange_online,
    exchange_diagnostic,
    exchange_2003,
)
