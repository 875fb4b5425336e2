"""What a chat room reads of an incident: few lines, and nothing in them that calls people or is a link."""

import re

from bounce_watch.model import Incident
from bounce_watch.reply.alert import title_of
from bounce_watch.reply.safe_text import defang, plain
from bounce_watch.reply.words import OWNERS, SEVERITIES

_MARKS = re.compile(r"[`*_~|<>\[\](){}#\\]")


def chat_text(subject: str, incident: Incident) -> tuple[str, str]:
    """Return title and text. `subject` is that of the mail about it, whose details stay in the mail."""
    finding = incident.finding
    mails = f"{finding.messages} mail{'' if finding.messages == 1 else 's'}"
    text = (
        f"{quiet(title_of(finding))}\n"
        f"{SEVERITIES[finding.severity]} · must act: {OWNERS[finding.owner]} · {mails}\n"
        f"What to do stands in the mail; here: bounce-watch incidents show {incident.number}"
    )
    return quiet(subject), text


def quiet(text: str) -> str:
    """Return a text in which no room sees a mention, a command, markup or a link."""
    return defang(_MARKS.sub("", plain(text, 200))).replace("@", " at ")
