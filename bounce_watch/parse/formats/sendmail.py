"""Sendmail and its look-alikes: a section of addresses, then a transcript of the SMTP session.

`----- The following addresses had permanent fatal errors -----`, `<user@example.com>`,
`(reason: 550 5.1.1 ...)`, `----- Transcript of session follows -----`. Version 5 has the transcript only.
"""

import re
from itertools import islice

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.narrative import find_narrative
from bounce_watch.parse.plain_text import ADDRESS, Entry, Narrative, followed, report_of
from bounce_watch.unwrap import FoundReport
from bounce_watch.unwrap.fast_patterns import LineStartPattern
from bounce_watch.unwrap.mime.limits import MAX_RECIPIENTS

NAME = "sendmail"

_ADDRESSES = LineStartPattern(
    r"[ \t|]{0,8}-{3,80}[ \t]{0,4}(?:the following addresses|message not delivered to"
    r"|failed addresses)[^\n]{0,80}$",
    re.IGNORECASE,
)
_SECTION = LineStartPattern(r"[ \t|]{0,8}-{3,80}[ \t]{0,4}[A-Z][^\n@]{3,80}$")
_TRANSCRIPT = LineStartPattern(r"[ \t]{0,8}-{3,80}[ \t]{0,4}transcript of session[^\n]{0,40}$", re.IGNORECASE)
_ADDRESS_LINE = re.compile(
    rf"^[ \t>|]{{0,20}}<?({ADDRESS})>?([^\n]{{0,500}})$"
    # A program or a file in the place of the address names it in the next lines.
    rf"|^\"[^\n]{{1,500}}\"\n"
    rf"(?:[ \t]{{1,20}}\(reason:[^\n]{{0,500}}\n)?[ \t]{{1,20}}\(expanded from: <?({ADDRESS})>?\)$",
    re.MULTILINE,
)
_REPLY_ABOUT = re.compile(
    rf"^(?:(?:<<<[ \t]?)?[45]\d\d[^\n<]{{0,80}})?<({ADDRESS})>(?:\.\.\. |[,:])[^\n]{{0,500}}$", re.MULTILINE
)
_REPLY_LINE = re.compile(r"^(?:<<<[ \t]?)?[45]\d\d[ -][^\n]{1,500}$", re.MULTILINE)
_SERVER_SAID = re.compile(r"^<<<[ \t]?([45]\d\d[ -][^\n]{1,500})$", re.MULTILINE)
_REASON = re.compile(r"\(reason:[ \t]?([^\n]{0,1000}?)\)?$", re.MULTILINE)


def read(report: FoundReport) -> ReportFields | None:
    if "---" not in report.text:
        return None
    narrative = find_narrative(report)
    if narrative is None:
        return None
    return report_of(narrative, _listed(narrative) or _from_transcript(narrative))


def _listed(narrative: Narrative) -> list[Entry]:
    """Read the section of addresses; words about each come from its own lines and from the transcript."""
    opening = _ADDRESSES.search(narrative.text)
    if opening is None:
        return []
    rest = narrative.text[opening.end() :]
    following = _SECTION.search(rest)
    section = rest[: following.start()] if following else rest
    transcript = rest[following.start() :] if following else ""
    heads = [head for head in _ADDRESS_LINE.finditer(section) if not head[0].lstrip().startswith("(")]
    return [
        Entry(head[1] or head[3], _words(head[0] + rest, head[1] or head[3], transcript))
        for head, rest in followed(heads, section)
    ]


def _words(own: str, address: str, transcript: str) -> str:
    """Join the reason beside the address with the replies that name it, else with all replies."""
    reason = _REASON.search(own)
    replies = [line.lstrip("< ") for line in _REPLY_LINE.findall(transcript)]
    about = [line for line in replies if address.lower() in line.lower()] or replies
    said = dict.fromkeys([reason[1], *about] if reason else about)
    return "\n".join(said) or own.partition(address)[2].strip("\n >") + transcript


def _from_transcript(narrative: Narrative) -> list[Entry]:
    opening = _TRANSCRIPT.search(narrative.text)
    if opening is None:
        return []
    session = narrative.text[opening.end() :]
    replies = list(islice(_REPLY_ABOUT.finditer(session), MAX_RECIPIENTS))
    spoken_to = {reply[1].lower() for reply in replies if not _is_about_the_sender(reply[0])}
    return [
        Entry(reply[1], "\n".join((*_said_before(reply.start(), session, replies), _innermost(reply[0]))))
        for reply in replies
        if reply[1].lower() in spoken_to
    ]


def _said_before(start: int, session: str, replies: list[re.Match[str]]) -> list[str]:
    """Return what the server said since the reporter's last verdict: its words tell more than the verdict."""
    verdicts = [reply.end() for reply in replies if reply.end() <= start and not reply[0].startswith("<<<")]
    return _SERVER_SAID.findall(session, verdicts[-1] if verdicts else 0, start)


def _innermost(reply: str) -> str:
    """Return what stands behind `554 <user@example.com>... ` when that is a reply itself."""
    inner = _REPLY_LINE.match(reply.partition("... ")[2])
    return inner[0] if inner else reply.lstrip("< ")


def _is_about_the_sender(reply: str) -> bool:
    return "no access from mail server" in reply.lower() or "sender" in reply.lower()
