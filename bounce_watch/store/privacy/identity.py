"""One address in the forms in which it stands in text: plain, broken for safety, inside another address."""

import base64
import binascii
import html
import quopri
import re
from email import message_from_bytes

from bounce_watch.store.database.columns import fold
from bounce_watch.store.queries.filters import like

_DOT = r"(?:\.|\[\.\])"
_JOINTS = {"@": r"@|\[@\]|%40|\+40", "=": "=", "_": "_"}
"""Plain, in a link (RFC 3986) or in an ORCPT (RFC 3461); inside a VERP address; inside that of a guest."""
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/=]{4,76}\r?\n){1,}")
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]\\@]{1,64}@[\w.\[\]-]{1,255}")
_SHORTEST_NAME = 3

OTHERS = "(another person)"


class PersonIdentity:
    """Finds one person's address in texts and bytes, and replaces it.

    Upper and lower case are the same. `anna@contoso.example` is neither in `joanna@contoso.example` nor in
    `anna@contoso.example.net`.
    """

    def __init__(self, address: str) -> None:
        self.key = fold(address)
        self.local, _, self.domain = self.key.rpartition("@")
        self._whole = _pattern(self.local, self.domain)
        name = re.escape(self.local)
        self._name = re.compile(rf"(?<![\w.@-]){name}(?![\w@-]|\.\w)", re.IGNORECASE)

    @property
    def like(self) -> str:
        """The pattern of LIKE that every form meets; it finds more, which `is_in` leaves out."""
        plain = f"%{self.local}%{self.domain}%"
        return "".join(_wild(character) for character in plain)

    def is_in(self, text: str) -> bool:
        return self._whole.search(text) is not None

    def replaced(self, text: str, pseudonym: str) -> str:
        """Return text with the pseudonym in place of every form of the address."""
        return self._whole.sub(lambda _: pseudonym, text)

    def replaced_near(self, text: str, pseudonym: str) -> str:
        """Do the same where the text is about this person: the name before the @ goes alone too."""
        text = self.replaced(text, pseudonym)
        if len(self.local) < _SHORTEST_NAME:
            return text
        return self._name.sub(lambda _: pseudonym.partition("@")[0], text)

    def is_in_bytes(self, raw: bytes) -> bool:
        """Tell whether bytes that nobody could read name the person: as they are, or encoded as mail is."""
        return any(self.is_in(text) for text in _readable(raw))

    def is_in_letter(self, raw: bytes) -> bool:
        """Tell whether a mail of our own writing names the person, in its fields or its parts."""
        if not raw:
            return False
        mail = message_from_bytes(raw)
        texts = [str(value) for value in mail.values()]
        for part in mail.walk():
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                texts.append(html.unescape(content.decode("utf-8", "replace")))
        return any(self.is_in(text) for text in texts)

    def without_others(self, text: str) -> str:
        """Return text in which no other address stands."""
        return _ADDRESS.sub(lambda found: found[0] if self.is_in(found[0]) else OTHERS, text)


def _pattern(local: str, domain: str) -> re.Pattern[str]:
    name, place = (_DOT.join(map(re.escape, part.split("."))) for part in (local, domain))
    end = r"(?![\w-]|\.\w)"
    forms = [rf"(?<![\w.-]){name}(?:{_JOINTS['@']}){place}{end}"]
    # Inside another address anything may stand before it: bounces-anna=contoso.example@lists.example.
    forms += [rf"(?<![A-Za-z0-9]){name}{_JOINTS['=']}{place}{end}"]
    forms += [rf"(?<![\w.-]){name}{_JOINTS['_']}{place}(?=#EXT#)"]
    return re.compile("|".join(forms), re.IGNORECASE)


def _wild(character: str) -> str:
    """Return what stands for a character in LIKE: a dot may be `[.]`, a database folds ASCII letters only."""
    if character in "%.\"\\'":
        return "%"
    return like(character) if character.isascii() else "_"


def _readable(raw: bytes) -> list[str]:
    blocks = [raw, quopri.decodestring(raw)]
    for found in _BASE64.finditer(raw + b"\n"):
        try:
            blocks.append(base64.b64decode(found[0], validate=False))
        except binascii.Error:
            continue
    return [html.unescape(block.decode("utf-8", "replace")) for block in blocks]
