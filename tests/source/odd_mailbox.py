"""A mailbox behind a scripted server that answers some FETCH commands in its own way."""

from collections.abc import Callable

from tests.servers.scripted_imap import Answer, Script


class OddMailbox:
    """Answers FETCH for a number of messages. `odd` gets the UIDs and the items, and may answer instead."""

    def __init__(self, count: int, odd: Callable[[list[int], str], bytes | None]) -> None:
        self.uids = list(range(1, count + 1))
        self.odd = odd

    def script(self, **answers: Answer) -> Script:
        return Script(answers={"SELECT": self.opened(), "UID FETCH": self.fetch, **answers})

    def opened(self, validity: int = 7) -> bytes:
        selected = f"* {len(self.uids)} EXISTS\r\n* OK [UIDVALIDITY {validity}] ok\r\n"
        return f"{selected}* OK [UIDNEXT {self.uids[-1] + 1}] ok\r\n@ OK [READ-WRITE] selected\r\n".encode()

    def fetch(self, line: str) -> bytes:
        _, _, spec, items = line.split(" ", 3)
        ranges = [
            [int(end) for end in part.split(":")] for part in spec.replace("*", str(self.uids[-1])).split(",")
        ]
        uids = [uid for uid in self.uids if any(ends[0] <= uid <= ends[-1] for ends in ranges)]
        answer = self.odd(uids, items)
        return b"".join(one(uid, items) for uid in uids) + b"@ OK done\r\n" if answer is None else answer


def one(uid: int, items: str) -> bytes:
    parts = [f"UID {uid}"]
    if "RFC822.SIZE" in items:
        parts.append('RFC822.SIZE 7 INTERNALDATE "28-Nov-2026 01:13:07 +0000"')
    if "BODY" in items:
        text = f"mail {uid:2}"
        parts.append(f"BODY[]<0> {{{len(text)}}}\r\n{text}")
    return f"* {uid} FETCH ({' '.join(parts)})\r\n".encode()
