"""The lab on real servers: reports lie in Dovecot, our mail goes through Postfix to people's mailboxes."""

import imaplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.safety.lab import KILLED, START, Lab, kinds, repeated
from tests.servers.dovecot import PASSWORD, WITHOUT_MOVE, Dovecot
from tests.servers.kept import Keep
from tests.servers.postfix import Postfix
from tests.servers.refusing import RefusingServer

DOMAIN = "larkfield.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealServers:
    """Servers for many labs, each with a watched mailbox of its own, `lab0` and so on."""

    dovecot: Dovecot
    postfix: Postfix
    keep: Keep

    def lab(self, folder: Path, number: int) -> "RealLab":
        folder.mkdir()
        return RealLab(folder, servers=self, address=f"lab{number}@{DOMAIN}", store=self.keep(folder))


@contextmanager
def start_servers(labs: int, keep: Keep, *, with_move: bool = True) -> Iterator[RealServers]:
    """Start Dovecot, and Postfix that leaves a copy of what is sent in the sender's folder `sent`."""
    users = [f"lab{number}@{DOMAIN}" for number in range(labs)]
    with (
        Dovecot(users=users, capability=None if with_move else WITHOUT_MOVE) as dovecot,
        RefusingServer() as outside,
        Postfix(
            lmtp_port=dovecot.lmtp_port, refusing_port=outside.port, domains=DOMAIN, keeps_sent=True
        ) as postfix,
    ):
        yield RealServers(dovecot=dovecot, postfix=postfix, keep=keep)


@dataclass
class RealLab(Lab):
    """A lab whose mailbox, way out and sent folder are those of real servers."""

    servers: RealServers = field(kw_only=True)

    def __post_init__(self) -> None:
        dovecot, postfix = self.servers.dovecot, self.servers.postfix
        self.source = (
            f'type = "imap"\nhost = "localhost"\nport = {dovecot.imaps_port}\nuser = "{self.address}"\n'
            f'password = "{PASSWORD}"\nca_file = "{dovecot.certificates.ca_file}"'
        )
        self.send = (
            f'type = "smtp"\nhost = "localhost"\nport = {postfix.port}\nauth = "none"\nprobe = "imap"\n'
            f'sent_folder = "sent"\nca_file = "{postfix.certificates.ca_file}"'
        )
        super().__post_init__()

    def deliver(self, content: bytes) -> None:
        self.deliver_all([content])

    def deliver_all(self, mails: list[bytes]) -> None:
        """Put mails into the watched mailbox; the clock of the lab is their date of arrival."""
        moment = imaplib.Time2Internaldate(START + timedelta(minutes=self.minutes))
        with self.servers.dovecot.sign_in(self.address) as client:
            for mail in mails:
                self.delivered += 1
                assert client.append("INBOX", "", moment, mail)[0] == "OK"

    def finish(self) -> None:
        """Look when Postfix has delivered what it took, and again when every grace is over."""
        for _ in range(2):
            self.servers.postfix.wait_until_idle()
            self.minutes += 11
            assert self.run() == 0
        self.servers.postfix.wait_until_idle()

    def inbox(self) -> set[str]:
        return self._names("INBOX")

    def filed(self) -> set[str]:
        return self._names("Bounces/Filed")

    def quarantined(self) -> set[str]:
        return self._names("Bounces/Quarantine")

    def _names(self, folder: str) -> set[str]:
        """Return the content of each message: a second copy adds nothing, a missing one is missing."""
        return {mail.decode("latin-1") for mail in self._lying_in(folder)}

    def copies(self) -> int:
        """Return how many messages lie in all folders together."""
        folders = ("INBOX", "Bounces/Filed", "Bounces/Quarantine")
        return sum(len(self._lying_in(folder)) for folder in folders)

    def _lying_in(self, folder: str) -> list[bytes]:
        """Return the messages that a person sees: one marked deleted is gone, it waits for its expunge."""
        with self.servers.dovecot.sign_in(self.address) as client:
            if client.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            numbers = client.search(None, "UNDELETED")[1][0].split()
            answer = client.fetch(b",".join(numbers).decode(), "(BODY.PEEK[])")[1] if numbers else []
        return [item[1] for item in answer if isinstance(item, tuple)]

    def sent(self) -> list[bytes]:
        """Return what lies in the mailboxes of those we wrote to."""
        mailboxes = self.servers.dovecot.root / "mail"
        mails = (path.read_bytes() for path in mailboxes.glob("[!l]*/new/*"))
        mine = f"<{self.address}>".encode()
        return [mail.replace(b"\n", b"\r\n") for mail in mails if mine in mail]

    def kept(self) -> list[bytes]:
        """Return the copies in our sent folder."""
        return self.servers.dovecot.contents(self.address, "sent")


def assert_nothing_lost_or_doubled(
    lab: RealLab, *, reports: int, others: int, garbage: int, digests: int = 1, copies: int = 0
) -> None:
    """Assert the same of the mailbox, of the recipients' mailboxes, of the sent folder and of the store.

    `copies` is how many messages may lie in a folder twice: COPY cannot be repeated without one.
    """
    lab.at.assert_sound()
    assert (len(lab.filed()), len(lab.quarantined()), len(lab.inbox())) == (reports, garbage, others)
    assert reports + garbage + others <= lab.copies() <= reports + garbage + others + copies
    assert lab.ask("SELECT state, count(*) FROM message GROUP BY state ORDER BY state") == [
        row for row in (("filed", reports), ("left", others), ("quarantined", garbage)) if row[1]
    ]
    assert lab.ask("SELECT count(*), count(DISTINCT fingerprint) FROM report") == [(reports, reports)]
    mails = lab.sent()
    assert repeated(mails) == []
    assert kinds(mails) == {"reply": reports, "digest": digests}
    assert kinds(lab.kept()) == kinds(mails)
    assert lab.ask("SELECT count(*), count(DISTINCT local_date) FROM digest") == [(digests, digests)]
    assert lab.ask("SELECT DISTINCT state FROM outgoing") == [("sent",)]


__all__ = ["KILLED", "RealLab", "RealServers", "assert_nothing_lost_or_doubled", "start_servers"]
