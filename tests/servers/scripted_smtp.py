"""An SMTP server with scripted replies, for what no real server does on request; without TLS."""

import socketserver
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.servers.listening import Listening, tcp

Reply = str | Callable[["SmtpScript", str], str]

HANG_UP = ""


@dataclass(slots=True)
class SmtpScript:
    """Replies by verb; `END` is the one after the content. A function gets the script and the line.

    `heard` records every line that arrived, by connection. `drips`: each byte is a packet.
    """

    extensions: tuple[str, ...] = ()
    replies: dict[str, Reply] = field(default_factory=dict)
    heard: list[list[str]] = field(default_factory=list)
    accepted: list[bytes] = field(default_factory=list)
    drips: bool = False

    def reply(self, line: str) -> str:
        """Return the reply to a line."""
        verb = line.split(" ")[0].upper()
        offered = ["scripted", *self.extensions]
        known: dict[str, Reply] = {
            "GREETING": "220 ready",
            "EHLO": "\r\n".join(f"250{'-' if one != offered[-1] else ' '}{one}" for one in offered),
            "DATA": "354 go on",
            "END": "250 2.0.0 queued",
            "AUTH": "235 2.7.0 welcome",
            "QUIT": "221 goodbye",
        }
        reply = {**known, **self.replies}.get(verb, "250 ok")
        return reply if isinstance(reply, str) else reply(self, line)

    @property
    def lines(self) -> list[str]:
        return [line for session in self.heard for line in session]


class ScriptedSmtp(Listening):
    """A server for one script."""

    def __init__(self, script: SmtpScript) -> None:
        super().__init__(tcp(_Handler, script=script))


class _Handler(socketserver.StreamRequestHandler):
    script: SmtpScript
    timeout = 10
    disable_nagle_algorithm = True

    def handle(self) -> None:
        session: list[str] = []
        self.script.heard.append(session)
        reply = self._say("GREETING")
        while reply and (line := self.rfile.readline().decode().rstrip("\r\n")):
            session.append(line)
            if (reply := self._say(line)).startswith("354"):
                self._take_content()
                reply = self._say("END")
            if reply.startswith(("421", "221")):
                return

    def _say(self, line: str) -> str:
        reply = self.script.reply(line)
        answer = f"{reply}\r\n".encode(errors="surrogateescape") if reply else b""
        pieces = [answer[at : at + 1] for at in range(len(answer))] if self.script.drips else [answer]
        for piece in pieces:
            self.wfile.write(piece)
        return reply

    def _take_content(self) -> None:
        lines = iter(self.rfile.readline, b".\r\n")
        self.script.accepted.append(b"".join(lines))
