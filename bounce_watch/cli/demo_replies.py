"""The replies of the demo week: colleagues and an admin answer what they got, which only then has an ID."""

from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.utils import format_datetime, parseaddr
from pathlib import Path

from bounce_watch.config.models import Config
from bounce_watch.shipped_files import folder as shipped

ANSWERS = "X-Demo-Answers"
"""Says what stands in the subject of the message that a reply answers, where a person gets several."""


class DemoReplies:
    """The replies that were not sent yet, by file name."""

    def __init__(self) -> None:
        folder = shipped("data") / "demo" / "replies"
        self._left = {path.stem: path.read_bytes() for path in sorted(Path(str(folder)).glob("*.eml"))}

    def deliver(self, config: Config, moment: datetime) -> int:
        """Put each reply whose message was sent into the mailbox; return how many are new."""
        sent = [message_from_bytes(path.read_bytes()) for path in _files(config.send)] if self._left else []
        found = {name: mail for name in self._left if (mail := _answered(self._left[name], sent))}
        for name, mail in found.items():
            raw = self._left.pop(name).replace(b"@MESSAGE-ID@", str(mail["Message-ID"]).encode())
            raw = raw.replace(b"@DATE@", format_datetime(moment).encode())
            place = Path(str(config.source[0].place)) / "new" / f"{int(moment.timestamp())}.{name}.larkfield"
            place.write_bytes(raw)
        return len(found)


def _files(send: object) -> list[Path]:
    folder = Path(str(getattr(send, "path", "")))
    return sorted(folder.glob("*.eml"))


def _answered(raw: bytes, sent: list[Message]) -> Message | None:
    """Return the first message that went to the author of a reply, None if it was not sent yet."""
    reply = message_from_bytes(raw)
    author, named = parseaddr(str(reply["From"]))[1], str(reply[ANSWERS] or "")
    theirs = (mail for mail in sent if parseaddr(str(mail["To"]))[1] == author)
    return next((mail for mail in theirs if named in str(mail["Subject"])), None)
