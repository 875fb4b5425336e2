"""Identifiers and server names that are the same in every run: they hang on what they are for."""

from base64 import b64encode
from uuid import NAMESPACE_URL, UUID, uuid5

_SERVERS = (
    "AM9PR07MB4512.eurprd07.prod.outlook.com",
    "DB9PR07MB7730.eurprd07.prod.outlook.com",
    "DU2PR07MB8822.eurprd07.prod.outlook.com",
    "GV1PR07MB9145.eurprd07.prod.outlook.com",
    "PAXPR07MB6391.eurprd07.prod.outlook.com",
    "VI1PR07MB3274.eurprd07.prod.outlook.com",
)


def guid(*about: object) -> UUID:
    """Return the one identifier of a thing."""
    return uuid5(NAMESPACE_URL, "larkfield/" + "/".join(str(part) for part in about))


def server(*about: object) -> str:
    """Return the Exchange Online server that handles a thing."""
    return _SERVERS[guid(*about).int % len(_SERVERS)]


def mail_id(*about: object) -> str:
    """Return the Message-ID that Outlook gives a mail: server, then upper-case digits."""
    host = server(*about)
    return f"<{host.partition('.')[0]}{guid('mail', *about).hex[:22].upper()}@{host}>"


def report_id(*about: object) -> str:
    """Return the Message-ID that Exchange gives its own reports: a GUID at the server."""
    return f"<{guid('report', *about)}@{server(*about)}>"


def thread_index(*about: object) -> str:
    return b64encode(b"\x01\xdb" + guid("thread", *about).bytes + b"\x80\x00\x00\x00").decode("ascii")


def address_of(*about: object) -> str:
    """Return an address of the documentation range (RFC 3849)."""
    return f"2001:db8:10a6:{guid(*about).int % 4096:x}::{guid(*about).int % 97:x}"
