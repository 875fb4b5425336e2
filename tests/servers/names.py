"""A name server for TXT records of a table, over UDP on loopback; it keeps silent when told to."""

import socketserver
import time
from collections import Counter

import dns.message
import dns.rcode
import dns.rrset

from tests.servers.listening import Listening


class NameServer(Listening):
    """Answers from `records`; `asked` counts the questions. A name in `silent` gets no answer at all.

    Every answer carries `ttl`, comes `delay` seconds late, and is only `failure` (an RCODE) if that is set.
    """

    def __init__(self, records: dict[str, list[str]]) -> None:
        self.records = records
        self.silent: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.ttl = 60
        self.delay = 0.0
        self.failure: dns.rcode.Rcode | None = None
        handler = type("Handler", (_Handler,), {"names": self})
        super().__init__(socketserver.ThreadingUDPServer(("127.0.0.1", 0), handler))


class _Handler(socketserver.BaseRequestHandler):
    names: NameServer

    def handle(self) -> None:
        content, channel = self.request
        question = dns.message.from_wire(content)
        name = question.question[0].name
        plain = name.to_text(omit_final_dot=True)
        self.names.asked[plain] += 1
        if plain in self.names.silent:
            return
        time.sleep(self.names.delay)
        answer = dns.message.make_response(question)
        texts = self.names.records.get(plain)
        if self.names.failure is not None:
            answer.set_rcode(self.names.failure)
        elif texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            words = " ".join(f'"{text}"' for text in texts)
            answer.answer.append(dns.rrset.from_text(name, self.names.ttl, "IN", "TXT", words))
        channel.sendto(answer.to_wire(), self.client_address)
