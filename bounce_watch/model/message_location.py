"""Where a message lies, the same for sources, pipeline and store."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLocation:
    """The place of one message; a source never uses it for another message.

    `mailbox` names source, account and folder. `validity` is the UIDVALIDITY of IMAP (RFC 9051
    section 2.3.1.1), 0 where messages are files. `uid` is the UID, the file's name or a hash of the content.
    """

    mailbox: str
    validity: int
    uid: str
