"""Find one address in text in all its forms: plain, defanged with [.], or inside another address."""

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
"""Forms of the @: plain, in a link (RFC 3986) or ORCPT (RFC 3461); in a VERP address; in a guest account."""
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/=]{4,76}\r?\n){1,}")
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]\\@]{1,64}@[\w.\[\]-]{1,255}")
_SHORTEST_NAME = 3

OTHERS = "(another person)"


class PersonIdentity:
    """Finds one person's address in texts and bytes, and replaces it.

    Case is ignored. `anna@contoso.example` is not found in `joanna@contoso.example` or
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
        """A LIKE pattern that matches every form; check its matches with `is_in`, because it matches more."""
        plain = f"%{self.local}%{self.domain}%"
        return "".join(_wild(character) for character in plain)

    def is_in(self, text: str) -> bool:
        return self._whole.search(text) is not None

    def replaced(self, text: str, pseudonym: str) -> str:
        """Return the text with every form of the address replaced by the pseudonym."""
        return self._whole.sub(lambda _: pseudonym, text)

    def replaced_near(self, text: str, pseudonym: str) -> str:
        """Do the same in text about this person: replace the local part alone too."""
        text = self.replaced(text, pseudonym)
        if len(self.local) < _SHORTEST_NAME:
            return text
        return self._name.sub(lambda _: pseudonym.partition("@")[0], text)

    def is_in_bytes(self, raw: bytes) -> bool:
        """Return whether an unreadable message names the person, plain or in a transfer encoding."""
        return any(self.is_in(text) for text in _readable(raw))

    def is_in_letter(self, raw: bytes) -> bool:
        """Return whether one of our own messages names the person, in its headers or its parts."""
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
        """Return the text with all other addresses replaced."""
        return _ADDRESS.sub(lambda found: found[0] if self.is_in(found[0]) else OTHERS, text)


def _pattern(local: str, domain: str) -> re.Pattern[str]:
    name, place = (_DOT.join(map(re.escape, part.split("."))) for part in (local, domain))
    end = r"(?![\w-]|\.\w)"
    forms = [rf"(?<![\w.-]){name}(?:{_JOINTS['@']}){place}{end}"]
    # In another address any prefix is possible: bounces-anna=contoso.example@lists.example.
    forms += [rf"(?<![A-Za-z0-9]){name}{_JOINTS['=']}{place}{end}"]
    forms += [rf"(?<![\w.-]){name}{_JOINTS['_']}{place}(?=#EXT#)"]
    return re.compile("|".join(forms), re.IGNORECASE)


def _wild(character: str) -> str:
    """Return the LIKE pattern of a character: a dot may be `[.]`, and LIKE folds only ASCII letters."""
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
