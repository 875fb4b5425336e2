"""Key and certificate of an application in one PEM file (RFC 7468); Entra requires RSA."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


class UnusableCertificate(Exception):
    """The file cannot be used. The message says why and never holds any part of the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The file's text, the SHA-1 thumbprint as Entra shows it, and the expiry date (UTC)."""

    text: str
    thumbprint: str
    ends_at: datetime


def read_certificate(file: Path, passphrase: str) -> Certificate:
    """Read a key with its certificate; the passphrase is empty if the key has none.

    Raises UnusableCertificate.
    """
    # Imported late: most sites use a secret.
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        content = file.read_bytes()
        certificate = x509.load_pem_x509_certificate(content)
        key = load_pem_private_key(content, passphrase.encode() or None)
    except OSError as error:
        raise UnusableCertificate(f"{file} cannot be read ({type(error).__name__})") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableCertificate(
            f"{file} does not hold a private key and its certificate, or the passphrase does not fit"
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise UnusableCertificate(f"the key in {file} is not RSA")
    if key.public_key() != certificate.public_key():
        raise UnusableCertificate(f"the first certificate in {file} does not belong to the key")
    return Certificate(
        text=content.decode("ascii", "replace"),
        thumbprint=certificate.fingerprint(SHA1()).hex().upper(),  # noqa: S303 - an identifier, not a protection
        ends_at=certificate.not_valid_after_utc,
    )
