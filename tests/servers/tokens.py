"""A stand-in for Entra's token endpoint (https, so that msal accepts it) and for RFC 7662 introspection.

Tokens are nearly 1 kB, because real ones are longer still and long lines are where clients break.
"""

import http.server
import json
import secrets
import threading
import time
import urllib.parse
from pathlib import Path

import jwt
import requests
from cryptography import x509

from tests.servers.certificates import Certificates, issue
from tests.servers.processes import STARTED

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT_ID = "bounce-watch-client"
CLIENT_SECRET = "client secret of the tests"
SCOPE = "https://outlook.office365.com/.default"


class TokenServer:
    """`refuse_with` (status, error, description) answers the next requests for tokens instead.

    `garbage` (status, body) is the answer to every request, `garbage_token` to those for tokens.
    `trusted` is a certificate (PEM) whose key may sign in instead of the secret.

    `authority` is what the configuration takes; `introspection_url` is plain http, for Dovecot.
    """

    def __init__(self, folder: Path, username: str) -> None:
        self.username = username
        self.lifetime = 3600
        self.refuse_with: tuple[int, str, str] | None = None
        self.garbage: tuple[int, bytes] | None = None
        self.garbage_token: tuple[int, bytes] | None = None
        self.granted = 0
        self.trusted: bytes | None = None
        self.certificates: Certificates = issue(folder)
        self._tokens: dict[str, tuple[float, str]] = {}
        handler = type("Handler", (_Handler,), {"tokens": self})
        self._secure = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        context = self.certificates.server()
        self._secure.socket = context.wrap_socket(self._secure.socket, server_side=True)
        self._plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port: int = self._secure.server_port
        self.authority = f"https://localhost:{self.port}"
        self.introspection_url = f"http://127.0.0.1:{self._plain.server_port}/introspect"

    def __enter__(self) -> "TokenServer":
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            for server in (self._secure, self._plain)
        ]
        for thread in self._threads:
            thread.start()
        STARTED["token server"] += 1
        return self

    def __exit__(self, *exc: object) -> None:
        for server in (self._secure, self._plain):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    def http_client(self) -> requests.Session:
        """Return a session that trusts this server, for msal."""
        session = requests.Session()
        session.verify = str(self.certificates.ca_file)
        # Otherwise REQUESTS_CA_BUNDLE wins over `verify`.
        session.trust_env = False
        return session

    def issue(self, username: str | None = None) -> str:
        token = f"eyJ.{secrets.token_urlsafe(700)}.sig"
        self._tokens[token] = (time.time() + self.lifetime, username or self.username)
        return token

    def accepts(self, token: str, username: str) -> bool:
        expiry, owner = self._tokens.get(token, (0.0, ""))
        return expiry > time.time() and owner == username

    def grant(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Answer one request of the client credentials flow."""
        if self.refuse_with:
            status, error, description = self.refuse_with
            return status, {"error": error, "error_description": description}
        if self.trusted is not None:
            if not self._is_signed(form.get("client_assertion", ""), self.trusted):
                text = "AADSTS700027: The certificate with identifier used to sign is not registered."
                return 401, {"error": "invalid_client", "error_description": text}
        elif (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            text = "AADSTS7000215: Invalid client secret provided."
            return 401, {"error": "invalid_client", "error_description": text}
        if form.get("grant_type") != "client_credentials" or form.get("scope") != SCOPE:
            return 400, {"error": "invalid_scope", "error_description": "AADSTS70011: the scope is wrong."}
        self.granted += 1
        return 200, {"token_type": "Bearer", "expires_in": self.lifetime, "access_token": self.issue()}

    def _is_signed(self, assertion: str, certificate: bytes) -> bool:
        """Tell whether an assertion (RFC 7523) is signed by the certificate's key, for us, by the client."""
        key = x509.load_pem_x509_certificate(certificate).public_key()
        audience = str(self.discovery()["token_endpoint"])
        try:
            jwt.decode(assertion, key, algorithms=["PS256"], audience=audience, issuer=CLIENT_ID)  # type: ignore[arg-type]
        except jwt.PyJWTError:
            return False
        return True

    def introspect(self, token: str) -> tuple[int, dict[str, object]]:
        expiry, username = self._tokens.get(token, (0.0, ""))
        if expiry < time.time():
            return 200, {"active": False}
        return 200, {"active": True, "username": username, "email": username, "exp": int(expiry)}

    def discovery(self) -> dict[str, object]:
        base = f"{self.authority}/{TENANT}"
        return {
            "issuer": f"{base}/v2.0",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        }


class _Handler(http.server.BaseHTTPRequestHandler):
    tokens: TokenServer

    def do_GET(self) -> None:
        known = self.path == f"/{TENANT}/v2.0/.well-known/openid-configuration"
        text = "AADSTS90002: Tenant not found."
        absent = {"error": "invalid_tenant", "error_description": text}
        self._answer(200 if known else 400, self.tokens.discovery() if known else absent)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
        if self.path.endswith("/oauth2/v2.0/token"):
            self._answer(*self.tokens.grant(form))
        elif self.path.startswith("/introspect"):
            self._answer(*self.tokens.introspect(form.get("token", "")))
        else:
            self._answer(404, {})

    def _answer(self, status: int, content: object) -> None:
        body, owner = json.dumps(content).encode(), self.tokens
        if garbage := owner.garbage or (owner.garbage_token if self.command == "POST" else None):
            status, body = garbage
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
