"""An SMTP dialogue in the text: whom RCPT TO named, and the reply that refused it.

Postfix's notices to its postmaster (` In:  RCPT TO:<...>`, ` Out: 550 ...`), gateways with `Sent <<<`
and `Received >>>`, session transcripts of MDaemon and its like. A refused DATA refuses all recipients.
"""

import re

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.narrative import find_narrative
from bounce_watch.parse.plain_text import ADDRESS, Entry, report_of
from bounce_watch.unwrap import FoundReport

NAME = "dialogue"

_MARK = r"^[ \t]{0,8}(?:[^\n:<>]{0,12}(?:In:|Out:|>>>|<<<))[ \t]{1,8}"
_COMMAND = re.compile(
    rf"{_MARK}(?:(RCPT|MAIL)[ ]{{0,2}}(?:TO|FROM):\s{{0,2}}<?({ADDRESS})?>?|(DATA|\.|end of data)\b)"
    r"[^\n]{0,200}$",
    re.MULTILINE | re.IGNORECASE,
)
_REFUSAL = re.compile(rf"{_MARK}([45]\d\d(?:[ -][^\n]{{0,500}})?)$", re.MULTILINE)
MAX_COMMANDS = 500


def read(report: FoundReport) -> ReportFields | None:
    if "rcpt to" not in report.text.lower():
        return None
    narrative = find_narrative(report)
    if narrative is None:
        return None
    text = narrative.text
    commands = list(_COMMAND.finditer(text))[:MAX_COMMANDS]
    ends = [command.start() for command in commands[1:]] + [len(text)]
    entries: list[Entry] = []
    accepted: list[str] = []
    for command, end in zip(commands, ends, strict=False):
        refusal = _REFUSAL.search(text, command.end(), end)
        if (command[1] or "").upper() == "RCPT" and command[2]:
            if refusal:
                entries.append(Entry(command[2], refusal[1]))
            else:
                accepted.append(command[2])
        elif command[3] and refusal:
            entries += [Entry(address, refusal[1]) for address in accepted]
    return report_of(narrative, entries)
