"""A throw-away Postfix 3.7 that writes genuine bounces (RFC 3464) and delivers our domain by LMTP.

Needs root. The system's own configuration is neither read nor changed, except for the
read-only `meta_directory`.
"""

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.servers import certificates
from tests.servers.dovecot import WATCHED
from tests.servers.processes import STARTED, end, free_port, need, start, version_of, wait_for_greeting

MASTER = "/usr/lib/postfix/sbin/master"

# Folders that `postfix start` would make; master is run directly instead.
PRIVATE = (
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "private",
    "saved",
)


class Postfix:
    """One server with its own queue. `port` takes mail from loopback, with STARTTLS if wanted.

    `options` are more lines of main.cf.

    `lifetime` ends deferred mail with an "expired" report, `delay_warning` makes "delayed" ones (0h: none).
    `domains` are delivered by LMTP. `keeps_sent` puts a copy of what anybody sends into their folder `sent`.
    """

    def __init__(
        self,
        *,
        lmtp_port: int,
        refusing_port: int,
        lifetime: str = "5d",
        delay_warning: str = "0h",
        options: str = "",
        domains: str = "contoso.example",
        keeps_sent: bool = False,
    ) -> None:
        need(MASTER, root=True)
        self.root = Path(tempfile.mkdtemp(prefix="bounce-watch-postfix-"))
        self.root.chmod(0o755)
        self.port = free_port()
        self.certificates = certificates.issue(self.root / "tls")
        self._process: subprocess.Popen[bytes] | None = None
        values = {
            "root": str(self.root),
            "port": str(self.port),
            "lmtp_port": str(lmtp_port),
            "refusing_port": str(refusing_port),
            "lifetime": lifetime,
            "delay_warning": delay_warning,
            "domains": domains,
            "copies": f"regexp:{self.root}/etc/copies" if keeps_sent else "",
        }
        for name in ("etc", "spool", "data"):
            (self.root / name).mkdir()
        self._write("main.cf", "postfix.cf", values)
        self._write("master.cf", "postfix-master.cf", values)
        with (self.root / "etc" / "main.cf").open("a") as settings:
            settings.write(options)
        # Postfix waits until this file is two seconds old: else somebody might still be writing it.
        os.utime(self.root / "etc" / "main.cf", (0, 0))
        (self.root / "etc" / "copies").write_text("/^([^+@]+)(@.+)$/ ${1}+sent${2}\n")
        # Checked before rewriting: the header still has no domain.
        (self.root / "etc" / "redirect").write_text(f"/^From:.*MAILER-DAEMON/ REDIRECT {WATCHED}\n")

    def _write(self, name: str, template: str, values: dict[str, str]) -> None:
        text = Path(__file__).with_name(template).read_text()
        for word, value in values.items():
            text = text.replace(f"@{word}@", value)
        (self.root / "etc" / name).write_text(text)

    def __enter__(self) -> "Postfix":
        self._make_queue()
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def _make_queue(self) -> None:
        owner = pwd.getpwnam("postfix")
        postdrop = grp.getgrnam("postdrop").gr_gid
        folders = [(name, 0o700, owner.pw_uid, 0) for name in (*PRIVATE, "trace")]
        folders += [("maildrop", 0o730, owner.pw_uid, postdrop), ("public", 0o710, owner.pw_uid, postdrop)]
        folders += [("pid", 0o755, 0, 0)]
        for name, mode, user, group in folders:
            folder = self.root / "spool" / name
            folder.mkdir()
            folder.chmod(mode)
            os.chown(folder, user, group)
        os.chown(self.root / "data", owner.pw_uid, owner.pw_gid)

    def start(self) -> None:
        etc = str(self.root / "etc")
        settings = {"MAIL_CONFIG": etc, "POSTLOG_SERVICE": "postlog", "POSTLOG_HOSTNAME": "mail"}
        with (self.root / "mail.log").open("ab") as log:
            self._process = start([MASTER, "-c", etc, "-d"], log, self.root, env=os.environ | settings)
        if not wait_for_greeting(self._process, self.port, b"220"):
            log_text = self.log()[-3000:]
            self.stop()
            raise RuntimeError(f"Postfix did not start:\n{log_text}")
        STARTED[f"Postfix {version_of('postconf', '-h', 'mail_version')}"] += 1

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None

    def wait_until_idle(self, seconds: float = 60) -> None:
        """Wait until everything that was taken has been delivered: the queue was empty twice in a row."""
        deadline, empty = time.monotonic() + seconds, 0
        while empty < 2:
            assert time.monotonic() < deadline, f"mail stays in the queue:\n{self.log()[-2000:]}"
            time.sleep(0.05)
            empty = 0 if self._queue_holds_mail() else empty + 1

    def _queue_holds_mail(self) -> bool:
        folders = (self.root / "spool" / name for name in ("maildrop", "incoming", "active", "deferred"))
        return any(path.is_file() for folder in folders for path in folder.rglob("*"))

    def log(self) -> str:
        return (self.root / "mail.log").read_text(errors="replace")
