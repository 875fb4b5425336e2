"""Addresses (RFC 5321 section 4.1.2), and hashes of subjects for sites that keep no subjects.

Stored addresses have a lenient normal form; an address must pass a strict check before mail is sent to it.
"""

import hashlib
import re

MAX_ADDRESS = 254
MAX_LOCAL_PART = 64

# Dot-atom local part, LDH domain of at least two labels: no quoting, literals, routes or non-ASCII.
_ATOM = r"[A-Za-z0-9!#$&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_STRICT = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)+(?!\d+\Z){_LABEL}")


def domain_of(address: str | None) -> str | None:
    """Return the lower-case domain of an address, None without one."""
    if not address or "@" not in address:
        return None
    return a_label(address.rpartition("@")[2].rstrip(".")) or None


def a_label(domain: str) -> str:
    """Return a domain in lower case, in A-labels (RFC 5890): `xn--mller-kva.de` for `müller.de`.

    What is not a domain stays as it is, in lower case.
    """
    if domain.isascii() or len(domain) > MAX_ADDRESS:
        return domain.lower()
    try:
        label = domain.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return domain.lower()
    # Some letters become punctuation, even an @.
    return label if is_host_name(label) else domain.lower()


def normalise(address: str) -> str:
    """Unify the domain only: local parts are case-sensitive (RFC 5321 section 2.4)."""
    local, at, domain = address.strip().rpartition("@")
    return f"{local}{at}{a_label(domain)}" if at else address.strip()


def is_deliverable(address: str) -> bool:
    """Tell whether mail may be sent to an address: strict ASCII, one @, no quoting."""
    local, _, _ = address.partition("@")
    short = len(address) <= MAX_ADDRESS and len(local) <= MAX_LOCAL_PART
    return short and _STRICT.fullmatch(address) is not None


def without_detail(address: str) -> str:
    """Return the mailbox of a plus address (RFC 5233): `anna@x.example` for `anna+news@x.example`."""
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def is_host_name(name: str) -> bool:
    """Tell whether a text is an ASCII host or domain name of at least two labels, not an IP address."""
    return len(name) <= MAX_ADDRESS and _HOST_NAME.fullmatch(name) is not None


_PREFIX = "sha256:"


def is_subject_hash(subject: str) -> bool:
    return subject.startswith(_PREFIX) and len(subject) == len(_PREFIX) + 16


def subject_hash(subject: str) -> str:
    """Return `sha256:` and 16 hexadecimal digits; a hash is returned unchanged.

    It finds the bounces of one message without storing its subject. It is not secret: a guess of the subject
    can be confirmed.
    """
    if is_subject_hash(subject):
        return subject
    return _PREFIX + hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()[:16]
