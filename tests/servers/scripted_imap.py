"""An IMAP server with scripted responses, for what no real server does on request; without TLS."""

import contextlib
import re
import socket
import socketserver
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.servers.listening import Listening, tcp

GREETING = b"* OK ready\r\n"
STALL = b"stall"
"""Instead of an answer: say nothing until the client hangs up."""
DRIP = b"drip"
"""At the end of an answer: go on with a byte at a time, for ever."""
SELECTED = b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 3] ok\r\n"
Answer = bytes | list[bytes] | Callable[[str], bytes]


@dataclass(slots=True)
class Script:
    """Answers by command, such as `UID FETCH`; a list is used up, its last answer stays.

    A function gets the command with its arguments and returns the answer.

    `@` at the beginning of a line stands for the tag; an empty answer hangs up.

    `heard` records every line that arrived, without its tag.
    """

    capabilities: str = "IMAP4rev1 MOVE UIDPLUS"
    answers: dict[str, Answer] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    greeting: bytes = GREETING
    connections: int = 0

    def answer(self, line: str) -> bytes:
        command = _command(line)
        known: dict[str, Answer] = {
            "CAPABILITY": f"* CAPABILITY {self.capabilities}\r\n@ OK done\r\n".encode(),
            "SELECT": SELECTED + b"@ OK [READ-WRITE] selected\r\n",
            "LIST": b'* LIST (\\Noselect) "/" ""\r\n@ OK done\r\n',
            "LOGOUT": b"* BYE see you\r\n@ OK done\r\n",
        }
        found = {**known, **self.answers}.get(command, b"@ OK done\r\n")
        if callable(found):
            return found(line)
        if isinstance(found, bytes):
            return found
        return found.pop(0) if len(found) > 1 else found[0]


class ScriptedImap(Listening):
    """A server for one script."""

    def __init__(self, script: Script) -> None:
        super().__init__(tcp(_Handler, script=script))


class _Handler(socketserver.StreamRequestHandler):
    script: Script
    timeout = 10

    def handle(self) -> None:
        self.script.connections += 1
        if self.script.greeting == STALL:
            self.rfile.read(1)
            return
        if self.script.greeting.endswith(DRIP):
            self._drip(self.script.greeting)
            return
        self.wfile.write(self.script.greeting)
        tag = ""
        while line := self.rfile.readline().decode("utf-8", "replace").rstrip("\r\n"):
            # DONE and literals have no tag of their own: their answer completes the command before.
            tag, rest = line.split(" ", 1) if " " in line else (tag, line)
            self.script.heard.append(rest)
            answer = self.script.answer(rest)
            if answer == STALL:
                self.rfile.read(1)
                return
            if answer.endswith(DRIP):
                self._drip(re.sub(rb"(?m)^@", tag.encode(), answer))
                return
            if not answer:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.wfile.write(re.sub(rb"(?m)^@", tag.encode(), answer))

    def _drip(self, answer: bytes) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(answer.removesuffix(DRIP))
            while True:
                self.wfile.write(b"*")
                time.sleep(0.01)


def _command(rest: str) -> str:
    words = rest.upper().split(" ")
    return " ".join(words[:2] if words[0] == "UID" else words[:1])
