"""A certificate authority for one test, and what it issues for localhost and the names of Exchange Online."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

EXCHANGE_ONLINE = ("login.microsoftonline.com", "outlook.office365.com", "smtp.office365.com")
"""Names under which tests/servers/exchange.py shows our servers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files in PEM form: the authority, and chain and key of `localhost` and 127.0.0.1."""

    ca_file: Path
    chain: Path
    key: Path

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


def issue(folder: Path) -> Certificates:
    """Make a new authority and a server certificate in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1", *EXCHANGE_ONLINE)
    paths = Certificates(ca_file=folder / "ca.pem", chain=folder / "chain.pem", key=folder / "key.pem")
    authority.cert_pem.write_to_path(paths.ca_file)
    leaf.private_key_pem.write_to_path(paths.key)
    paths.chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    return paths
