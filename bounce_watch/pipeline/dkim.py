"""Check our own DKIM signature on the headers of a returned mail (RFC 6376); only this module uses dkimpy.

Reports often return headers without the body. The signature covers the headers and a hash of the body, so
it can be checked over the headers alone if that hash is trusted: a changed From or Subject is detected. It
proves that we sent this mail, not that the report is true.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from time import monotonic

from bounce_watch.config.load import ConfigError
from bounce_watch.dns.resolver import Resolver, Status
from bounce_watch.model import OriginalMessage, Reading, Report, Signature
from bounce_watch.unwrap import read_headers

MAX_SIGNATURES = 3
"""Maximum number of our signatures checked per mail."""

MAX_KEYS = 256
KEY_LIFETIME = 3600.0
REST = 60.0
"""Seconds without lookups after a failed one: mail must not wait for an unavailable name server."""

FindKey = Callable[[str], bytes | None]
"""Returns the TXT record of a name, None when there is none. Raises KeyUnavailable."""

_FIELD = re.compile(rb"^dkim-signature[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_DOMAIN = re.compile(rb"(?:^|;)[ \t\r\n]*d[ \t\r\n]*=[ \t\r\n]*([A-Za-z0-9.-]{1,253})[ \t\r\n]*(?=;|$)")
_SELECTOR = re.compile(rb"(?:^|;)[ \t\r\n]*s[ \t\r\n]*=[ \t\r\n]*([A-Za-z0-9._-]{1,63})[ \t\r\n]*(?=;|$)")
_NEEDED = (b"from", b"subject", b"message-id")
"""Fields that a signature must cover, each of which must be there once: a copy would not be covered."""
_LINE_END = re.compile(rb"\r?\n")


class KeyUnavailable(Exception):
    """The key could not be looked up; the signature may be valid."""


class SignatureChecker:
    """Checks signatures of some domains. Only names below these domains are looked up, each once per hour."""

    def __init__(
        self, domains: Collection[str], find_key: FindKey, seconds: Callable[[], float] = monotonic
    ) -> None:
        self._domains = frozenset(domain.encode() for domain in domains)
        self._find_key = find_key
        self._seconds = seconds
        self._known: dict[str, tuple[float, bytes | None]] = {}
        self._rests_until = 0.0

    def checked(self, reading: Reading) -> Reading:
        """Return a reading with the result for its returned headers; unchanged if it is not a report."""
        return self.checked_report(reading) if isinstance(reading, Report) else reading

    def checked_report(self, report: Report) -> Report:
        """Return a report with the result for its returned headers.

        A signature covers the author, not the Return-Path: it proves nothing about another sender.
        """
        original = report.original
        signature = self.check(original.signed_headers)
        if signature is Signature.VALID and not _is_signed_as_read(original):
            signature = Signature.INVALID
        return replace(report, original=replace(original, signature=signature))

    def check(self, headers: str | None) -> Signature:
        """Check a returned header block; one valid signature of ours is enough.

        It must cover author, subject and Message-ID, and the block must hold each once.
        """
        if headers is None:
            return Signature.ABSENT
        block = _LINE_END.sub(b"\r\n", headers.encode("latin-1", "replace"))
        outcomes = {self._check_one(block, place, name) for place, name in self._ours(block)}
        order = (Signature.VALID, Signature.UNKNOWN, Signature.INVALID)
        return next((outcome for outcome in order if outcome in outcomes), Signature.ABSENT)

    def _ours(self, block: bytes) -> Iterator[tuple[int, str]]:
        """Yield the position of each of our signatures and the DNS name of its key."""
        found = 0
        for place, field in enumerate(_FIELD.findall(block)):
            domain, selector = _DOMAIN.search(field), _SELECTOR.search(field)
            if domain and selector and domain[1].lower() in self._domains and found < MAX_SIGNATURES:
                found += 1
                yield place, f"{selector[1].decode()}._domainkey.{domain[1].decode().lower()}"

    def _check_one(self, block: bytes, place: int, name: str) -> Signature:
        try:
            key = self._key(name)
        except KeyUnavailable:
            return Signature.UNKNOWN
        return Signature.VALID if key and _holds(block, place, key) else Signature.INVALID

    def _key(self, name: str) -> bytes | None:
        """Return a key, cached for an hour. Raises KeyUnavailable."""
        now = self._seconds()
        asked_at, key = self._known.get(name, (-KEY_LIFETIME, None))
        if now - asked_at < KEY_LIFETIME:
            return key
        if now < self._rests_until:
            raise KeyUnavailable
        try:
            key = self._find_key(name)
        except KeyUnavailable:
            self._rests_until = self._seconds() + REST
            raise
        if len(self._known) >= MAX_KEYS:
            self._known.clear()
        self._known[name] = (now, key)
        return key


def _count(block: bytes, name: bytes) -> int:
    return len(re.findall(rb"^%s[ \t]*:" % re.escape(name), block, re.IGNORECASE | re.MULTILINE))


def _is_signed_as_read(original: OriginalMessage) -> bool:
    """Tell whether the values that we use are those of the signed block."""
    headers = read_headers((original.signed_headers or "").encode("latin-1", "replace"))[0]
    message_id = (headers.first("message-id") or "").strip()
    return headers.address("from") == original.sender and message_id == (original.message_id or "")


def _holds(block: bytes, place: int, key: bytes) -> bool:
    """Verify the header signature at a position with a key, without checking the body hash."""
    if any(_count(block, name) != 1 for name in _NEEDED):
        return False
    import dkim

    class HeadersAlone(dkim.DKIM):  # type: ignore[misc]
        def verify_sig_process(self, sig: dict[bytes, bytes], *rest: object) -> bool:
            if not {name.strip().lower() for name in sig[b"h"].split(b":")}.issuperset(_NEEDED):
                return False
            # Without `bh` dkimpy compares no body; the field itself stays signed.
            return bool(super().verify_sig_process({k: v for k, v in sig.items() if k != b"bh"}, *rest))

    try:
        message = HeadersAlone(block.rstrip(b"\r\n") + b"\r\n\r\n")
        return bool(message.verify(idx=place, dnsfunc=lambda *_asked, **_how: key))
    except Exception:  # noqa: BLE001 - a library reads hostile bytes; what it cannot read is not valid
        return False


def key_finder(seconds: float, servers: Sequence[str] = ()) -> FindKey:
    """Return a DNS lookup with a timeout; no servers: those of this machine.

    Raises ConfigError without the extra `dkim`.
    """
    try:
        import dkim  # noqa: F401
    except ImportError:
        raise ConfigError(
            ["trust.dkim needs the library dkimpy"],
            "pip install 'bounce-watch[dkim]', or set dkim = false in [trust]",
        ) from None

    def find_key(name: str) -> bytes | None:
        answer = Resolver(servers, seconds).lookup(name, "TXT")
        if answer.status is Status.UNASKED:
            raise KeyUnavailable(answer.why)
        return answer.values[0].encode() if answer.values else None

    return find_key
