"""One file a format of report; their order is the tuple FORMATS."""

from typing import Protocol

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.formats import (
    address_colon,
    address_line,
    amazon_sns,
    arf,
    dialogue,
    exchange_2003,
    exchange_diagnostic,
    exchange_online,
    failed_recipients,
    fields_in_text,
    fml,
    labelled,
    returned_to,
    rfc3464,
    sendmail,
    sentence,
    sieve_reject,
)
from bounce_watch.unwrap import Wrapped


class Format(Protocol):
    """A module with a name and a reader. The reader returns None for what it does not know."""

    NAME: str

    def read(self, wrapped: Wrapped) -> ReportFields | None: ...


STRUCTURED: tuple[Format, ...] = (rfc3464, arf, sieve_reject, amazon_sns, fields_in_text)
"""Written for machines. What they read is a report, whatever its headers claim to be."""

WORDS: tuple[Format, ...] = (
    exchange_online,
    exchange_diagnostic,
    exchange_2003,
    fml,
    sendmail,
    address_colon,
    address_line,
    labelled,
    dialogue,
    sentence,
    failed_recipients,
    returned_to,
)
"""Written for people: Exchange's own texts first, then the looser shapes, the least certain last."""

FORMATS: tuple[Format, ...] = (*STRUCTURED, *WORDS)
