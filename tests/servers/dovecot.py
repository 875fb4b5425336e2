"""A throw-away Dovecot 2.3: TLS, LMTP, passwords or OAuth, on request dressed as Exchange Online.

Runs as an ordinary user; as root it steps down to nobody. Dovecot 2.4 has another configuration syntax.
"""

import grp
import imaplib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from tests.servers import certificates
from tests.servers.processes import STARTED, end, free_port, need, start, version_of, wait_for_greeting

PROGRAM = "/usr/sbin/dovecot"
PASSWORD = "correct horse"
WATCHED = "bounces@contoso.example"
COLLEAGUES = tuple(f"{name}@contoso.example" for name in ("alice", "bob", "carol", "dave", "admin"))

# What Exchange Online says after login, as third parties saw it in autumn 2026.
EXCHANGE_ONLINE = (
    "IMAP4 IMAP4rev1 AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
)
WITHOUT_MOVE = "IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN AUTH=LOGIN UIDPLUS UNSELECT NAMESPACE IDLE"
WITHOUT_UIDPLUS = "IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN AUTH=LOGIN UNSELECT NAMESPACE IDLE"

PASSWORDS = """\
passdb {
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN username_format=%u @root@/users
}
"""
TOKENS = """\
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = @root@/oauth2.conf.ext
}
"""
MASTERS = """\
auth_master_user_separator = *
passdb {
  driver = passwd-file
  master = yes
  mechanisms = plain login
  args = scheme=PLAIN username_format=%u @root@/masters
}
"""
INTROSPECTION = """\
introspection_mode = post
introspection_url = @url@
username_attribute = username
username_format = %u
active_attribute = active
active_value = true
timeout_msecs = 3000
"""


class Dovecot:
    """One server with its own folder. `introspection_url` adds XOAUTH2 sign-in with tokens.

    `capability` replaces the list that clients see after login; `only_tls` refuses passwords
    without TLS; `separator` and `prefix` shape the personal namespace; `store` is how mail is kept.
    `master` may open every user's mailbox, with the same password. `large`: set up for large Maildirs
    (maildir_very_dirty_syncs); else the server looks through the whole folder after each move.
    """

    def __init__(
        self,
        *,
        users: Iterable[str] = (WATCHED, *COLLEAGUES),
        introspection_url: str | None = None,
        capability: str | None = None,
        only_tls: bool = False,
        separator: str = "/",
        prefix: str = "",
        store: Literal["maildir", "mbox", "mdbox"] = "maildir",
        master: str | None = None,
        large: bool = False,
    ) -> None:
        need(PROGRAM)
        self.account = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.root = Path(tempfile.mkdtemp(prefix="bounce-watch-dovecot-"))
        self.imap_port, self.imaps_port, self.lmtp_port = free_port(), free_port(), free_port()
        self.sasl_port = free_port()
        self.certificates = certificates.issue(self.root / "tls")
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("run", "state", "mail", "home"):
            (self.root / name).mkdir()
        (self.root / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}::::::\n" for user in users))
        (self.root / "masters").write_text(f"{master}:{{PLAIN}}{PASSWORD}::::::\n" if master else "")
        if introspection_url:
            _fill(self.root / "oauth2.conf.ext", INTROSPECTION, {"url": introspection_url})
        self._write_configuration(
            passdb=(TOKENS if introspection_url else "") + (MASTERS if master else "") + PASSWORDS,
            mechanisms="xoauth2 oauthbearer plain login" if introspection_url else "plain login",
            imap_capability=f"imap_capability = {capability}" if capability else "",
            only_tls="yes" if only_tls else "no",
            separator=separator,
            prefix=prefix,
            syncs="maildir_very_dirty_syncs = yes" if large else "",
            store=store,
            inside=":INBOX=~/inbox" if store == "mbox" else "",
        )
        self.hand_over()

    def _write_configuration(self, **wishes: str) -> None:
        fixed = {
            "root": str(self.root),
            "tag": self.root.name,
            "user": self.account.pw_name,
            "group": grp.getgrgid(self.account.pw_gid).gr_name,
            "uid": str(self.account.pw_uid),
            "gid": str(self.account.pw_gid),
            "imap_port": str(self.imap_port),
            "imaps_port": str(self.imaps_port),
            "lmtp_port": str(self.lmtp_port),
            "sasl_port": str(self.sasl_port),
        }
        template = Path(__file__).with_name("dovecot.conf").read_text()
        _fill(self.root / "dovecot.conf", template, wishes | fixed)

    def cpu_seconds(self) -> float:
        """Return the processor time that the server's processes have taken, those that ended too."""
        assert self._process is not None
        group = self._process.pid
        return sum(_cpu_ticks(path, group) for path in Path("/proc").glob("[0-9]*/stat")) / os.sysconf(
            "SC_CLK_TCK"
        )

    def hand_over(self) -> None:
        """Give what was written into the folder to the server's user."""
        self.root.chmod(0o755)
        if os.getuid() == 0:
            for path in (self.root, *self.root.rglob("*")):
                os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def __enter__(self) -> "Dovecot":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self) -> None:
        with (self.root / "stdout.log").open("ab") as output:
            command = [PROGRAM, "-F", "-c", str(self.root / "dovecot.conf")]
            self._process = start(command, output, self.root, **self._as_mail_user())
        if not wait_for_greeting(self._process, self.imap_port, b"* OK"):
            log = self.log()
            self.stop()
            raise RuntimeError(f"Dovecot did not start:\n{log}")
        STARTED[f"Dovecot {version_of(PROGRAM, '--version')}"] += 1

    def _as_mail_user(self) -> dict[str, Any]:
        if os.getuid() != 0:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None

    def log(self) -> str:
        paths = (self.root / "stdout.log", self.root / "dovecot.log")
        return "".join(path.read_text(errors="replace") for path in paths if path.exists())

    def end_sessions(self, user: str) -> None:
        """Close the user's connections with BYE, as Exchange does when a token has expired."""
        command = ["doveadm", "-c", str(self.root / "dovecot.conf"), "kick", user]
        subprocess.run(command, cwd=self.root, capture_output=True, check=False, **self._as_mail_user())

    def wait_until_signed_out(self, user: str) -> None:
        """Wait until no session of the user is left: what the server said at the end has arrived then."""
        command = ["doveadm", "-c", str(self.root / "dovecot.conf"), "who", "-1", user]
        deadline = time.monotonic() + 5
        while (
            user
            in subprocess.run(
                command, cwd=self.root, capture_output=True, text=True, check=False, **self._as_mail_user()
            ).stdout
        ):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def forget_uids(self, user: str) -> None:
        """Restart with a new UIDVALIDITY for all folders of a user (it is a time in seconds)."""
        self.stop()
        for index in (self.root / "mail" / user.partition("@")[0]).rglob("dovecot*"):
            index.unlink()
        time.sleep(1.1)
        self.start()

    def sign_in(self, user: str = WATCHED) -> imaplib.IMAP4_SSL:
        """Return a client of the standard library, for looking in from outside."""
        client = imaplib.IMAP4_SSL(
            "localhost", self.imaps_port, ssl_context=self.certificates.client(), timeout=10
        )
        client.login(user, PASSWORD)
        return client

    def append(self, messages: Sequence[bytes], user: str = WATCHED, folder: str = "INBOX") -> None:
        """Put messages into a folder, byte for byte."""
        with self.sign_in(user) as client:
            for message in messages:
                status, answer = client.append(f'"{folder}"', "", "", message)
                assert status == "OK", answer

    def contents(self, user: str = WATCHED, folder: str = "INBOX") -> list[bytes]:
        """Return the messages of a folder, none when the folder is missing."""
        with self.sign_in(user) as client:
            if client.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            _, answer = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
        return [item[1] for item in answer if isinstance(item, tuple)]

    def folders(self, user: str = WATCHED) -> list[str]:
        """Return the names of all folders, as the server writes them."""
        with self.sign_in(user) as client:
            _, lines = client.list()
        return [line.decode().rsplit(" ", 1)[1].strip('"') for line in lines if isinstance(line, bytes)]

    def wait_for(self, count: int, user: str, folder: str = "INBOX", seconds: float = 30) -> list[bytes]:
        """Return a folder's messages once there are so many."""
        deadline = time.monotonic() + seconds
        while len(found := self.contents(user, folder)) < count:
            assert time.monotonic() < deadline, f"{user} has {len(found)} messages in {folder}, not {count}"
            time.sleep(0.1)
        return found


def _cpu_ticks(path: Path, group: int) -> int:
    """Return the ticks of one process and of its children that ended, 0 for a process of others (proc(5))."""
    try:
        fields = path.read_text().rpartition(") ")[2].split()
    except OSError:
        return 0
    return sum(map(int, fields[11:15])) if int(fields[2]) == group else 0


def _fill(path: Path, template: str, values: dict[str, str]) -> None:
    text = template
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    path.write_text(text)
