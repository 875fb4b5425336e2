"""Raw bytes to the report inside: bounded MIME reader, journal envelope, forwards."""

from bounce_watch.unwrap.envelope import handed_on, unwrap
from bounce_watch.unwrap.headers import Headers, addresses, first_address, read_headers
from bounce_watch.unwrap.mime import Part, parse
from bounce_watch.unwrap.wrapped import Wrapped

__all__ = [
    "Headers",
    "Part",
    "Wrapped",
    "addresses",
    "first_address",
    "handed_on",
    "parse",
    "read_headers",
    "unwrap",
]
