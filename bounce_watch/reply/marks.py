"""Our own marks: the id that every mail of ours carries, so that its bounce is recognised and never answered.

An id is `bw.<sixteen hex digits>.<twenty-four hex digits>`; the second part is an HMAC (RFC 2104) of the
first, so nobody else can make one. Providers rewrite Message-IDs, hence the id also stands in
X-Bounce-Watch-ID, in References and in the footer.
"""

import hashlib
import hmac
import re

_ID = re.compile(r"bw\.([0-9a-f]{16})\.([0-9a-f]{24})(?![0-9a-f])")
_LONGEST = 64 * 1024


def new_ids(secret: bytes, event_key: str, domain: str) -> tuple[str, str]:
    """Return the X-Bounce-Watch-ID and the Message-ID of the mail for one event: always the same pair."""
    serial = hashlib.sha256(event_key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    bw_id = f"bw.{serial}.{_proof(secret, serial)}"
    return bw_id, f"<{bw_id}@{domain}>"


def is_own_mark(secret: bytes, value: str) -> bool:
    """Tell whether a header value or a piece of text (64 KiB are read) holds an id that we made."""
    found = _ID.finditer(value[:_LONGEST].lower())
    return any(hmac.compare_digest(_proof(secret, match[1]), match[2]) for match in found)


def _proof(secret: bytes, serial: str) -> str:
    return hmac.new(secret, serial.encode("ascii"), hashlib.sha256).hexdigest()[:24]
