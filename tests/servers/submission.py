"""A submission server (aiosmtpd) with STARTTLS, AUTH by password or XOAUTH2, and replies on request."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session, auth_mechanism

from tests.servers.certificates import Certificates
from tests.servers.processes import STARTED, free_port

TOKEN_LINE = 12_288
"""Real tokens make AUTH lines far longer than the 512 of RFC 5321; aiosmtpd must be told."""

CUT = "cut"
"""Instead of a reply: end the connection."""


@dataclass(slots=True)
class Submission:
    """What the server answers at MAIL, RCPT, DATA and after the content; None means yes.

    `at_token` is what it says to a token that it does not accept.

    `accepted` holds reverse path, recipient and content; `opened` counts connections.
    """

    at_mail: Callable[[str], str | None] = lambda _: None
    at_rcpt: str | None = None
    at_data: str | None = None
    at_end: str | None = None
    at_token: str = "535 5.7.3 Authentication unsuccessful"
    accepted: list[tuple[str, str, bytes]] = field(default_factory=list)
    opened: int = 0
    sessions: list[Any] = field(default_factory=list)

    def hang_up(self) -> None:
        """End all sessions, as a server does with idle ones."""
        for session in self.sessions:
            session.loop.call_soon_threadsafe(session.transport.close)

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if reply := self.at_mail(address):
            return self.answer(server, reply)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 sender ok"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_rcpt:
            return self.answer(server, self.at_rcpt)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 recipient ok"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.at_end:
            return self.answer(server, self.at_end)
        (recipient,) = envelope.rcpt_tos
        assert isinstance(envelope.original_content, bytes)
        self.accepted.append((envelope.mail_from or "", recipient, envelope.original_content))
        return "250 2.0.0 queued as 42"

    @staticmethod
    def answer(server: Any, reply: str) -> str:
        if reply == CUT:
            server.transport.abort()
        return reply


class _Server(SMTP):
    line_length_limit = TOKEN_LINE

    def __init__(
        self, handler: Submission, accepts_token: Callable[[str, str], bool], **options: Any
    ) -> None:
        super().__init__(handler, **options)
        self.command_size_limits["AUTH"] = TOKEN_LINE
        self._submission = handler
        self._accepts_token = accepts_token
        handler.opened += 1
        handler.sessions.append(self)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self._submission.at_data:
            await self.push(Submission.answer(self, self._submission.at_data))
            return
        await super().smtp_DATA(arg)

    @auth_mechanism("XOAUTH2")
    async def auth_XOAUTH2(self, _: SMTP, arguments: list[str]) -> AuthResult:  # noqa: N802
        user, bearer, *_rest = base64.b64decode(arguments[1]).decode().split("\x01")
        if self._accepts_token(bearer.removeprefix("auth=Bearer "), user.removeprefix("user=")):
            return AuthResult(success=True)
        reason = b'{"status":"401","schemes":"bearer"}'
        answer = await self.challenge_auth(reason)
        assert answer in {b"", MISSING}
        await self.push(self._submission.at_token)
        return AuthResult(success=False, handled=True)


class SubmissionServer:
    """The server on a loopback port: no STARTTLS without certificates, with `implicit` TLS at once."""

    def __init__(
        self,
        submission: Submission,
        *,
        certificates: Certificates | None = None,
        implicit: bool = False,
        password: tuple[str, str] | None = None,
        accepts_token: Callable[[str, str], bool] = lambda _token, _user: False,
        sign_in_first: bool = False,
        hide: tuple[str, ...] = (),
    ) -> None:
        self.port = free_port()
        context = certificates.server() if certificates else None

        def authenticate(_s: object, _ss: object, _e: object, mechanism: str, login: object) -> AuthResult:
            assert isinstance(login, LoginPassword), mechanism
            given = (login.login.decode(), login.password.decode())
            return AuthResult(success=given == password, handled=False)

        options = {
            "hostname": "submission.contoso.example",
            "tls_context": None if implicit else context,
            "authenticator": authenticate,
            "auth_require_tls": not implicit and context is not None,
            "auth_required": sign_in_first,
            "auth_exclude_mechanism": list(hide),
        }

        def factory() -> SMTP:
            return _Server(submission, accepts_token, **options)

        class _Controller(Controller):
            def factory(self) -> SMTP:
                return factory()

        self._controller = _Controller(
            submission,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=context if implicit else None,
        )

    def __enter__(self) -> "SubmissionServer":
        self._controller.start()
        self._controller.handler.opened = 0
        self._controller.handler.sessions.clear()
        STARTED["submission server (aiosmtpd)"] += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self._controller.stop()
