"""A module per format of report; `FORMATS` sets their order."""

from typing import Protocol

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.formats import (
    amazon_sns,
    arf,
    exchange_2003,
    exchange_2007,
    exchange_online,
    fml,
    prose,
    rfc3464,
    rfc3464_in_text,
    sendmail,
    sieve_reject,
    smtp_dialogue,
)
from bounce_watch.unwrap import FoundReport


class Format(Protocol):
    """A module with a name and a reader. The reader returns None for what it does not know."""

    NAME: str

    def read(self, report: FoundReport) -> ReportFields | None: ...


STRUCTURED: tuple[Format, ...] = (rfc3464, arf, sieve_reject, amazon_sns, rfc3464_in_text)
"""Written for machines. What they read is a report, whatever its headers claim to be."""

WORDS: tuple[Format, ...] = (
    exchange_online,
    exchange_2007,
    exchange_2003,
    fml,
    sendmail,
    smtp_dialogue,
    prose,
)
"""Written for people: Exchange's own texts first, then the looser shapes, the least certain last."""

FORMATS: tuple[Format, ...] = (*STRUCTURED, *WORDS)
