"""Lists of tags (`k=v; k=v`) of DKIM keys, DMARC and MTA-STS records (RFC 6376 section 3.2)."""

import re

_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*([^;]*?)\s*\Z")


class BadTags(ValueError):
    """The record is no list of tags; the message names the place."""


def read_tags(record: str) -> dict[str, str]:
    """Return the tags of a record in order, names in lower case. Raises BadTags."""
    tags: dict[str, str] = {}
    place = 1
    for piece in record.split(";"):
        found, start = _TAG.match(piece), place + len(piece) - len(piece.lstrip())
        if found is None and piece.strip():
            raise BadTags(f"syntax error at character {start}, {piece.strip()[:60]!r}: not name=value")
        if found and found[1].lower() in tags:
            raise BadTags(f"syntax error at character {start}: a second tag {found[1]}")
        if found:
            tags[found[1].lower()] = found[2]
        place += len(piece) + 1
    return tags
