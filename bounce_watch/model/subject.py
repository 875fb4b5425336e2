"""The subject of a bounced mail, where a site keeps only a hash of it."""

import hashlib

_PREFIX = "sha256:"


def is_subject_hash(subject: str) -> bool:
    """Tell whether this is no subject but what was kept instead of one."""
    return subject.startswith(_PREFIX) and len(subject) == len(_PREFIX) + 16


def subject_hash(subject: str) -> str:
    """Return `sha256:` and 16 hexadecimal digits; what is a hash already stays as it is.

    It finds the bounces of one mail and keeps a subject out of the store. It is no secret: whoever guesses
    the subject can confirm the guess.
    """
    if is_subject_hash(subject):
        return subject
    return _PREFIX + hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()[:16]
