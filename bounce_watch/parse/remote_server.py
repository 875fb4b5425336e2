"""The server that refused, where a report names it in prose or in a transcript only.

Sendmail `... while talking to mx.example.org.:`, Postfix and Exim `host mx.example.org[192.0.2.1] said`,
Gmail `by mx.example.org. [192.0.2.1]`, Exchange `Remote Server at mx.example.org (192.0.2.1) returned`.
"""

import re
from dataclasses import replace

from bounce_watch.model import RecipientFields
from bounce_watch.model.address import is_host_name
from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.plain_text import split_returned
from bounce_watch.unwrap import FoundReport
from bounce_watch.unwrap.fast_patterns import KeywordGuardedPattern

MAX_TEXT = 8000
"""Characters of a report that are looked at."""

_HOST = r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){1,10}"
_IP = r"(?:IPv6:)?[0-9A-Fa-f.:]{3,45}"
_NAMED = KeywordGuardedPattern(
    r"(?:while talking to|connect(?:ed|ing)? to|rejected your message:"
    r"|[Rr]emote (?:mail )?(?:host|server)(?: at|:)?|Server at|Serveur à|Server auf)"
    rf" {{1,4}}({_HOST})(?=\.?(?:[\s:,()\[]|$))",
)
_WITH_ADDRESS = re.compile(
    rf"\bby ({_HOST})\. \[{_IP}\]|\b(?:hosts?|server) ({_HOST})\.? {{0,2}}[\[(]{_IP}[\])]",
)
# It begins with a host, which is slow, so its words must stand in the text.
_BEFORE_VERB = KeywordGuardedPattern(
    rf"(?<![\w.@-])({_HOST})(?:\[{_IP}\] said:| rejected your message| gave this error:"
    r"| Remote Server returned)",
)
_LOCAL = ("localhost", "127.0.0.1", "localhost.localdomain")


def find_server(text: str) -> str | None:
    """Return the host that a text names as the one it talked to, None if it names none or its own."""
    shown = text[:MAX_TEXT]
    lowered = shown.lower()
    found = (
        _NAMED.search(shown, lowered)
        or (_WITH_ADDRESS.search(shown) if "[" in shown or " (" in shown else None)
        or _BEFORE_VERB.search(shown, lowered)
    )
    host = next(filter(None, found.groups()), "").rstrip(".").lower() if found else ""
    return host if is_host_name(host) and host not in _LOCAL and not host.endswith(".local") else None


def with_servers(found: ReportFields, report: FoundReport) -> ReportFields:
    """Return the fields with a server in each entry that has none.

    A server that only the report's text names is taken for the one of a single recipient.
    """
    if all(entry.remote_mta for entry in found.recipients):
        return found
    entries = tuple(
        _with_server(entry, find_server(entry.diagnostic_code or ""), found) for entry in found.recipients
    )
    if len(entries) == 1 and entries[0].remote_mta is None:
        entries = (_with_server(entries[0], find_server(split_returned(report.text)[0]), found),)
    return found._replace(recipients=entries)


def _with_server(entry: RecipientFields, named: str | None, report: ReportFields) -> RecipientFields:
    own = (report.reporting_mta or "").lower().partition(".")[0]
    if entry.remote_mta or named is None or named.partition(".")[0] == own:
        return entry
    return replace(entry, remote_mta=named)
