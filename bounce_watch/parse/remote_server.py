"""The server that refused, where a report names it in prose or in a transcript only.

Sendmail `... while talking to mx.example.org.:`, Postfix and Exim `host mx.example.org[192.0.2.1] said`,
Gmail `by mx.example.org. [192.0.2.1]`, Exchange `Remote Server at mx.example.org (192.0.2.1) returned`.
"""

from dataclasses import replace

from bounce_watch.model import RecipientFields
from bounce_watch.model.address import is_host_name
from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.plain_text import split_returned
from bounce_watch.unwrap.fast_patterns import KeywordGuardedPattern

_HOST = r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){1,10}"
_IP = r"(?:IPv6:)?[0-9A-Fa-f.:]{3,45}"
_NAMED = KeywordGuardedPattern(
    r"(?:while talking to|connect(?:ed|ing)? to|rejected your message:|[Rr]emote (?:mail )?(?:host"
    r"|server)(?: at|:)?"
    rf"|the (?:mail )?server|Server at|Serveur à|Server auf) {{1,4}}({_HOST})(?=\.?(?:[\s:,()\[]|$))"
    rf"|\bby ({_HOST})\. \[{_IP}\]"
    rf"|\b(?:hosts?|server) ({_HOST})\.? {{0,2}}[\[(]{_IP}[\])]"
    rf"|(?<![\w.@-])({_HOST})(?:\[{_IP}\] said:| rejected your message| gave this error:"
    rf"| Remote Server returned)",
)
_LOCAL = ("localhost", "127.0.0.1", "localhost.localdomain")


def find_server(text: str) -> str | None:
    """Return the host that a text names as the one it talked to, None if it names none or its own."""
    found = _NAMED.search(text)
    host = next(filter(None, found.groups()), "").rstrip(".").lower() if found else ""
    return host if is_host_name(host) and host not in _LOCAL and not host.endswith(".local") else None


def with_servers(found: ReportFields, text: str) -> ReportFields:
    """Return the fields with a server in each entry that has none; `text` are the report's words.

    A server that only the report's text names is taken for the one of a single recipient.
    """
    if all(entry.remote_mta for entry in found.recipients):
        return found
    alone = find_server(split_returned(text)[0]) if len(found.recipients) == 1 else None
    entries = tuple(_with_server(entry, alone, found.reporting_mta) for entry in found.recipients)
    return found._replace(recipients=entries)


def _with_server(entry: RecipientFields, alone: str | None, reporter: str | None) -> RecipientFields:
    if entry.remote_mta:
        return entry
    named = find_server(entry.diagnostic_code or "") or alone
    if named is None or named.partition(".")[0] == (reporter or "").lower().partition(".")[0]:
        return entry
    return replace(entry, remote_mta=named)
