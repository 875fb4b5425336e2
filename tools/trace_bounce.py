"""Count the files and functions of the package that one bounce passes, and those that one question needs.

A new report goes from a Maildir through `run --once` until the reply lies in a folder; then
`history --since 7d` lists it. Both run as users call them, with a profiler in every thread and process, so
that the process that reads mail counts too. The store exists before: making one isn't counted.

Counted are functions that were called. Module and class bodies aren't, nor what they call during an import,
nor lambdas, comprehensions and generator expressions (names in `<...>`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from email.utils import format_datetime
from pathlib import Path

TRACING = Path(__file__).parent / "tracing"
SENDER = "anna.schulte@contoso.example"
LOCATE = "import bounce_watch; print(*bounce_watch.__path__)"

CONFIG = """
[organisation]
name = "Contoso"
accepted_domains = ["contoso.example"]
support = "phone 4455"
admins = ["mailadmin@contoso.example"]
[source]
type = "maildir"
path = "mailbox"
[send]
type = "folder"
path = "sent"
[store]
path = "store.db"
[reply]
mode = "on"
from_address = "bounces@contoso.example"
settle_seconds = 0
[digest]
at = "00:00:00"
"""
"""The digest of the day is due at the first look, which isn't traced."""

REPORT = """\
From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.example>
To: {sender}
Date: {reported}
Subject: Undeliverable: Offer 2217
Message-ID: <report-1@mail.contoso.example>
X-MS-Exchange-Message-Is-Ndr:
X-MS-Exchange-Organization-AuthAs: Internal
Auto-Submitted: auto-replied
Return-Path: <>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="report"

--report
Content-Type: text/plain; charset="utf-8"

Your message to petra.meier@fabrikam.example couldn't be delivered.
petra.meier wasn't found at fabrikam.example.

--report
Content-Type: message/delivery-status

Reporting-MTA: dns;mail.contoso.example
Received-From-MTA: dns;client.contoso.example
Arrival-Date: {sent}

Final-Recipient: rfc822;petra.meier@fabrikam.example
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
Remote-MTA: dns;mx.fabrikam.example

--report
Content-Type: message/rfc822

From: Anna Schulte <{sender}>
To: <petra.meier@fabrikam.example>
Subject: Offer 2217
Date: {sent}
Message-ID: <offer-2217@contoso.example>
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"

Hello,

please find the details below.

--report--
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What one command called: functions per file, in the order in which the files were entered."""

    title: str
    command: str
    functions: Counter[str]
    processes: int

    def as_json(self) -> str:
        files = [{"file": file, "functions": number} for file, number in self.functions.items()]
        return json.dumps(
            {
                "what": self.title,
                "command": self.command,
                "files": len(files),
                "functions": self.functions.total(),
                "processes": self.processes,
                "entered": files,
            }
        )

    def as_text(self, *, files: bool) -> Iterator[str]:
        found = f"{len(self.functions)} files, {self.functions.total()} functions"
        yield f"{self.title} ({self.command}): {found}, processes: {self.processes}"
        if files:
            yield from (f"  {number:4}  {file}" for file, number in self.functions.items())


class Program:
    """The command line of one version, at work in a folder of its own."""

    def __init__(self, python: Path, folder: Path) -> None:
        self._python, self._folder = python, folder

    def run(self, *arguments: str, environ: dict[str, str] | None = None) -> str:
        """Return what a command prints. Raises SystemExit if it fails."""
        command = [str(self._python), "-m", "bounce_watch", "--config", "config.toml", *arguments]
        return self._start(command, environ or {})

    def trace(self, title: str, *arguments: str) -> Trace:
        """Run a command and return what it called."""
        package = self._start([str(self._python), "-c", LOCATE], {}).strip()
        trace = self._folder / f"{arguments[0]}.trace"
        hook = {"PYTHONPATH": str(TRACING), "TRACED_PACKAGE": package, "TRACE_FILE": str(trace)}
        self.run(*arguments, environ=hook)
        called = [line.split("\t", 1) for line in trace.read_text(encoding="utf-8").splitlines()]
        functions = dict.fromkeys(function for _, function in called)
        return Trace(
            title=title,
            command=" ".join(arguments),
            functions=Counter(function.partition("\t")[0] for function in functions),
            processes=len({process for process, _ in called}),
        )

    def _start(self, command: list[str], environ: dict[str, str]) -> str:
        surroundings = {**os.environ, **environ}
        done = subprocess.run(  # noqa: S603 - the interpreter that the caller names
            command, cwd=self._folder, env=surroundings, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"trace_bounce: {' '.join(command)} failed:\n{done.stderr}")
        return done.stdout


def deliver(mailbox: Path) -> None:
    """Put a report of this minute into the Maildir."""
    now = datetime.now(UTC)
    sent, reported = format_datetime(now - timedelta(minutes=1)), format_datetime(now)
    report = REPORT.format(sender=SENDER, sent=sent, reported=reported)
    (mailbox / "new" / "report.host").write_text(report, encoding="utf-8")


def is_answered(sent: Path) -> bool:
    """Tell whether a reply to the sender lies in the folder."""
    replies = (message_from_bytes(path.read_bytes(), policy=default) for path in sent.glob("*.eml"))
    return any(SENDER in str(reply["To"]) for reply in replies)


def traces(python: Path, folder: Path) -> Iterator[Trace]:
    """Yield the way of a bounce and the question. Raises SystemExit if no reply arrives."""
    for part in ("cur", "new", "tmp"):
        (folder / "mailbox" / part).mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    program = Program(python, folder)
    program.run("run", "--once")
    deliver(folder / "mailbox")
    bounce = program.trace("One bounce", "run", "--once")
    if not is_answered(folder / "sent"):
        raise SystemExit(f"trace_bounce: no reply to {SENDER} arrived in the folder; nothing was counted")
    yield bounce
    yield program.trace("One question", "history", "--since", "7d")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", action="store_true", help="list the files in the order they were entered")
    options.add_argument("--json", action="store_true", help="one JSON object per command, with files")
    options.add_argument(
        "--python",
        type=Path,
        default=Path(sys.executable),
        help="trace the version in this interpreter's environment",
    )
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for trace in traces(chosen.python.absolute(), Path(folder)):
            lines = [trace.as_json()] if chosen.json else trace.as_text(files=chosen.files)
            print(*lines, sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
