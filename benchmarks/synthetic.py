"""A large feed made on the fly: our own samples again and again, each copy about other people.

Addresses, Message-IDs and the texts of refusals are new in every copy, so that nothing kept from one
message answers the next.
"""

import re
from collections.abc import Iterator, Sequence

_LOCAL_PART = re.compile(rb"([A-Za-z0-9][A-Za-z0-9._-]{0,40})@(?=[A-Za-z0-9-]{1,60}\.)")
_REFUSAL = re.compile(rb"\b([45]\d\d[ -][45]\.\d\.\d{1,3}) (?=[A-Za-z<])")


def make_feed(samples: Sequence[bytes], count: int) -> Iterator[bytes]:
    """Yield `count` messages, each a sample with a number in its addresses and refusals."""
    for number in range(count):
        yield _about_others(samples[number % len(samples)], b"%d" % number)


def _about_others(sample: bytes, number: bytes) -> bytes:
    named = _LOCAL_PART.sub(rb"\g<1>-n" + number + rb"@", sample)
    return _REFUSAL.sub(rb"\1 (id n" + number + rb") ", named)
