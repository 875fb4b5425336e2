"""Decode IMCEAEX addresses, Exchange's SMTP form of an X.500 name (page imceaex-ndr, November 2026)."""

import re

_PREFIX = "IMCEAEX-"
_HEX = re.compile(r"\+([0-9A-Fa-f]{2})")


def decode_imceaex(address: str) -> str | None:
    """Return the X.500 name of an IMCEAEX address as `X500:/O=...`, None for any other address.

    `_` stands for `/`, `+hh` for the character with that number. An admin can add the result as an address
    of the mailbox that replaced the old one.
    """
    if address[: len(_PREFIX)].upper() != _PREFIX:
        return None
    encoded = address[len(_PREFIX) :].rpartition("@")[0]
    if not encoded:
        return None
    name = _HEX.sub(lambda found: chr(int(found[1], 16)), encoded.replace("_", "/"))
    return "X500:" + "".join(character for character in name if character.isprintable())
