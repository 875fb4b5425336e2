"""Certificates that a client must refuse, beside the one that it trusts."""

import ssl
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

YEAR = timedelta(days=365)


class ChaosCertificates:
    """Server contexts by name: good, wrong name, expired, self-signed. `ca_file` is what clients trust."""

    def __init__(self, folder: Path, *also: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._authority = trustme.CA()
        self.ca_file = folder / "trusted.pem"
        self.ca_file.write_bytes(
            self._authority.cert_pem.bytes() + b"".join(path.read_bytes() for path in also)
        )

    @cached_property
    def contexts(self) -> dict[str, ssl.SSLContext]:
        past = datetime.now(UTC) - YEAR
        issue = self._authority.issue_cert
        leaves = {
            "good": issue("localhost"),
            "wrong name": issue("mail.fabrikam.example"),
            "expired": issue("localhost", not_before=past - YEAR, not_after=past),
        }
        contexts = {name: _server() for name in leaves}
        for name, leaf in leaves.items():
            leaf.configure_cert(contexts[name])
        return contexts | {"self-signed": self._self_signed()}

    def _self_signed(self) -> ssl.SSLContext:
        key, name = ec.generate_private_key(ec.SECP256R1()), x509.DNSName("localhost")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - YEAR)
            .not_valid_after(now + YEAR)
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .sign(key, hashes.SHA256())
        )
        path = self._folder / "self-signed.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = _server()
        context.load_cert_chain(path)
        return context


def _server() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
