"""What an IMAP server answered, as values (RFC 3501, 2342)."""

from dataclasses import dataclass

Items = dict[bytes, object]
"""The items of one FETCH answer, by their names as the server writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A selected folder. `uid_next` is 0 when the server keeps it to itself."""

    validity: int
    uid_next: int
    exists: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces:
    """RFC 2342: `prefix` and `separator` of the personal namespace, prefixes of other people's."""

    prefix: str
    separator: str
    foreign: tuple[str, ...] = ()
