"""A mailbox behind a scripted server that answers some FETCH commands in its own way."""

from collections.abc import Callable

from tests.servers.scripted_imap import Script


class OddMailbox:
    """Answers FETCH for a number of messages. `odd` gets the UIDs and the items, and may answer instead."""

    def __init__(self, count: int, odd: Callable[[list[int], str], bytes | None]) -> None:
        self.uids = list(range(1, count + 1))
        self.odd = odd

    def script(self, **answers: bytes) -> Script:
        selected = (
            f"* {len(self.uids)} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT {self.uids[-1] + 1}]"
        )
        opened = selected.encode() + b" ok\r\n@ OK [READ-WRITE] selected\r\n"
        return Script(answers={"SELECT": opened, "UID FETCH": self.fetch, **answers})

    def fetch(self, line: str) -> bytes:
        _, _, spec, items = line.split(" ", 3)
        ranges = ([int(end) for end in part.split(":")] for part in spec.split(","))
        asked = {uid for ends in ranges for uid in range(ends[0], ends[-1] + 1)}
        uids = [uid for uid in self.uids if uid in asked]
        answer = self.odd(uids, items)
        return b"".join(one(uid, items) for uid in uids) + b"@ OK done\r\n" if answer is None else answer


def one(uid: int, items: str) -> bytes:
    parts = [f"UID {uid}"]
    if "RFC822.SIZE" in items:
        parts.append('RFC822.SIZE 7 INTERNALDATE "28-Nov-2026 01:13:07 +0000"')
    if "BODY" in items:
        parts.append(f"BODY[]<0> {{7}}\r\nmail {uid:2}")
    return f"* {uid} FETCH ({' '.join(parts)})\r\n".encode()
