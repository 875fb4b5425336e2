"""The service between two faulty connections: real Dovecot and Postfix, each behind a chaos proxy.

The clock of the lab runs 600 times as fast, so that every pause of minutes passes in a tenth of a
second; time-outs of the network are half a second.
"""

import base64
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bounce_watch.cli.common.open_store import run_context
from bounce_watch.config.load import read_config
from bounce_watch.daemon import CycleWork, MailboxThread, Service, Stopper
from bounce_watch.pipeline.wiring import sender_of, sent_lookup_of, source_of
from tests.pipeline.conftest import ndr
from tests.servers.chaos import ChaosProxy
from tests.servers.chaos_certificates import ChaosCertificates
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.servers.kept import InFile, Kept
from tests.servers.postfix import Postfix

FASTER = 600
PAUSE = 0.05
"""Seconds between two looks at what is due."""
POLL = 3.0
"""Seconds after which the mailbox is looked at unasked; IDLE tells of mail before."""

SENT_FOLDER = "Sent"
_OWN_ID = re.compile(rb"^X-Bounce-Watch-ID: (\S+)\r?$", re.MULTILINE)
_REPORT = re.compile(rb"^Message-ID: <report\.(\d+)@", re.MULTILINE)

CONFIG = """
[organisation]
name = "Contoso"
accepted_domains = ["contoso.example"]
support = "phone 4455"
admins = ["admin@contoso.example"]
time_zone = "{zone}"
[digest]
at = "23:59:00"
[alerts]
# An alert about the incident that all these reports make would be struck instead of an answer.
settle_seconds = 1e9
[source]
type = "imap"
host = "localhost"
port = {imap_port}
security = "{imap_security}"
user = "{user}"
password = "{password}"
ca_file = "{ca_file}"
timeout_seconds = 0.5
[send]
type = "smtp"
host = "localhost"
port = {smtp_port}
security = "starttls"
user = "{user}"
password = "{password}"
ca_file = "{ca_file}"
timeout_seconds = 0.5
probe = "imap"
sent_folder = "{sent}"
[store]
{store}
[reply]
mode = "on"
from_address = "{user}"
settle_seconds = 0
hold_backlog_over = 100000
not_older_than_hours = 10000
per_minute = 100000
per_hour = 100000
[run]
isolate = false
"""

POSTFIX = """
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl_port}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
# What Exchange Online does: a copy of all that is submitted lies in the sent folder.
always_bcc = bounces+{sent}@contoso.example
smtpd_error_sleep_time = 0
"""


_IS_MADE = "SELECT 1 FROM sqlite_master WHERE name = 'outgoing'"


class FastClock:
    """Now, and from there on 600 times as fast."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._start = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self._start + FASTER * timedelta(seconds=time.monotonic() - self._since)


def _zone_past_midnight() -> str:
    """Return a zone where the day has just begun: a digest would be struck instead of an answer."""
    hour = datetime.now(UTC).hour
    return f"Etc/GMT+{hour}" if hour <= 12 else f"Etc/GMT-{24 - hour}"


def back_off(faults: int) -> float:
    return min(0.1 * 2.0**faults, 0.4)


@dataclass
class FaultWorld:
    """`imap` and `smtp` are the proxies; `delivered` counts the reports that lay in the mailbox."""

    folder: Path
    dovecot: Dovecot
    imap: ChaosProxy
    imap_starttls: ChaosProxy
    smtp: ChaosProxy
    ca_file: Path
    store: Kept
    clock: FastClock = field(default_factory=FastClock)
    delivered: int = 0

    def deliver(self, count: int) -> list[int]:
        """Put reports about colleagues into the mailbox, past the proxies; return their numbers."""
        numbers = list(range(self.delivered + 1, self.delivered + count + 1))
        self.delivered += count
        reports = [
            ndr(f"c{number}@larkfield.example", number=number).replace(b"larkfield", b"contoso")
            for number in numbers
        ]
        self.dovecot.append(reports)
        return numbers

    @contextmanager
    def serving(self, *, starttls: bool = False) -> Iterator["Serving"]:
        """Run the service in a thread; a test fails if it ends early."""
        proxy = self.imap_starttls if starttls else self.imap
        text = CONFIG.format(
            zone=_zone_past_midnight(),
            store=self.store.line,
            imap_port=proxy.port,
            imap_security="starttls" if starttls else "tls",
            smtp_port=self.smtp.port,
            user=WATCHED,
            password=PASSWORD,
            ca_file=self.ca_file,
            sent=SENT_FOLDER,
        )
        config = read_config(text.encode(), self.folder / "config.toml")
        stopper = Stopper()
        service = Serving()

        def run() -> None:
            try:
                with run_context(config, self.clock) as context, sender_of(config) as sender:
                    Service(
                        [MailboxThread("mailbox", source_of(config.source[0]))],
                        CycleWork(context, sender, sent_lookup_of(config), stopper.is_set),
                        stopper,
                        poll=POLL,
                        tick=PAUSE,
                        retry=lambda faults: min(0.05 * 2**faults, 0.4),
                    ).run()
            except BaseException as error:
                service.fault = error
                raise

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield service
        finally:
            stopper.set()
            thread.join(20)
            assert not thread.is_alive(), "the service does not stop"
            assert service.fault is None, service.fault

    def filed(self) -> Counter[int]:
        """Return how often each report lies in the filed folder."""
        found = (_REPORT.search(content) for content in self._mails("bounces/.Bounces.Filed"))
        return Counter(int(match[1]) for match in found if match)

    def waiting(self) -> int:
        return sum(1 for _ in self._mails("bounces"))

    def quarantined(self) -> int:
        return sum(1 for _ in self._mails("bounces/.Bounces.Quarantine"))

    def answers(self, number: int) -> list[bytes]:
        """Return the X-Bounce-Watch-IDs of what colleague `number` got."""
        return [match[1] for mail in self._mails(f"c{number}") if (match := _OWN_ID.search(mail))]

    def _mails(self, folder: str) -> Iterator[bytes]:
        for name in ("new", "cur"):
            place = self.dovecot.root / "mail" / folder / name
            for path in sorted(place.iterdir()) if place.is_dir() else ():
                try:
                    yield path.read_bytes()
                except FileNotFoundError:  # Dovecot renames
                    continue

    def assert_whole(self) -> None:
        """Assert that nothing was lost, sent twice or sent in clear text, counted at the receivers."""
        numbers = range(1, self.delivered + 1)
        if not self.delivered:
            return
        assert self.waiting() == 0
        assert self.filed() == dict.fromkeys(numbers, 1)
        assert self.quarantined() == 0
        ids = [own_id for number in numbers for own_id in self.answers(number)]
        assert len(ids) == len(set(ids)) == self.delivered
        assert self.ask("SELECT count(*) FROM outgoing WHERE kind = 'reply' AND state = 'sent'") == [
            (self.delivered,)
        ]
        heard = b"".join(bytes(tape) for tape in self.smtp.heard + self.imap.heard + self.imap_starttls.heard)
        assert b"STARTTLS" in heard  # the tape does hold what is said in clear
        assert not [secret for secret in _as_said(PASSWORD) if secret in heard]

    def found_in_sent_folder(self) -> int:
        """Return how many mails were confirmed by a search of the sent folder."""
        query = "SELECT count(*) FROM outgoing WHERE server_reply = 'found where sent mail lies'"
        return int(self.ask(query)[0][0])

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        if isinstance(self.store, InFile) and not self.store.ask(_IS_MADE):
            return []
        return self.store.ask(query)

    def is_done(self, numbers: list[int]) -> bool:
        """Tell whether these reports are filed and answered, and no mail at all is in doubt."""
        done = "SELECT (SELECT count(*) FROM message WHERE state = 'filed'), count(*) FROM outgoing"
        counted = self.ask(f"{done} WHERE kind = 'reply' AND state = 'sent'")
        if counted != [(self.delivered, self.delivered)]:
            return False
        if self.ask("SELECT 1 FROM outgoing WHERE state IN ('sending', 'unknown')"):
            return False  # a digest may have been struck
        filed = self.filed()
        return all(filed[number] and self.answers(number) for number in numbers)

    def wait_until_done(self, numbers: list[int], service: "Serving", seconds: float = 20) -> float:
        """Return after how many seconds all these reports were filed and answered."""
        start = time.monotonic()
        while not self.is_done(numbers):
            assert service.fault is None, service.fault
            assert time.monotonic() - start < seconds, self._tell(numbers)
            time.sleep(0.02)
        return time.monotonic() - start

    def _tell(self, numbers: list[int]) -> str:
        filed = self.filed()
        lines = [
            f"report {number}: filed {filed[number]}, answers {self.answers(number)}" for number in numbers
        ]
        return "\n".join([*lines, f"{self.waiting()} in the mailbox"])


@dataclass
class Serving:
    """A service that runs. `fault` is what ended it, which nothing should."""

    fault: BaseException | None = None


def _as_said(password: str) -> list[bytes]:
    """Return a password as it stands in the LOGIN command, and in PLAIN and LOGIN of SASL."""
    plain = f"\0{WATCHED}\0{password}"
    return [password.encode(), *(base64.b64encode(text.encode()) for text in (plain, password))]


@contextmanager
def start_fault_world(folder: Path, store: Kept) -> Iterator[FaultWorld]:
    """Start servers and proxies for a whole module."""
    with Dovecot() as dovecot:
        options = POSTFIX.format(sasl_port=dovecot.sasl_port, sent=SENT_FOLDER)
        certificates = ChaosCertificates(folder / "tls")
        with (
            Postfix(lmtp_port=dovecot.lmtp_port, refusing_port=1, options=options) as postfix,
            ChaosProxy(dovecot.imap_port, certificates, implicit=True) as imap,
            ChaosProxy(dovecot.imap_port, certificates, implicit=False) as imap_starttls,
            ChaosProxy(postfix.port, certificates, implicit=False) as smtp,
        ):
            yield FaultWorld(
                folder=folder,
                dovecot=dovecot,
                imap=imap,
                imap_starttls=imap_starttls,
                smtp=smtp,
                ca_file=certificates.ca_file,
                store=store,
            )
