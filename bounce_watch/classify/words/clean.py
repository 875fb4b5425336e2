"""Cut from a reply what says nothing about the refusal, and split the rest into clauses of plain words.

URLs, host names and settings (`id=…`) hold words that the server did not say about the message.
"""

import re
import unicodedata
from itertools import islice

from bounce_watch.unwrap.fast_patterns import folded

MAX_CLAUSES = 24
MAX_WORDS = 80
"""Words of one clause that are read."""

_IP_WORD = " ipnum "
URL = re.compile(r"<?(?:https?://|www\.|mailto:)[^\s>]{1,2000}>?", re.IGNORECASE)
IP = re.compile(
    r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7})(?![\w])", re.IGNORECASE
)
SETTING = re.compile(r"(?<!\S)[\[(]?[\w.-]{1,40}=[^\s,;]{1,200}")
HOST = re.compile(r"(?<![\w.@])(?:[a-z0-9_-]{1,63}\.){1,8}[a-z][a-z0-9-]{1,62}(?![\w@])", re.IGNORECASE)
_NO_HOST = ("exception", "storedrv", "resolver", "smtpsend", "transport.", "queue.", "approval.")
_CLAUSE_END = re.compile(r"[.;!?](?=\s|$)|[。！？；]|\s[-–|/]{1,3}\s|[()|\"“”{}]")
# French and Italian join an article to the next word: `l'utilisateur`, `dell'utente`.
_ELISION = re.compile(r"\b([ldnsjcmt]|qu|un|dell|nell|all|dall|sull)['’](?=[^\W\d_])", re.IGNORECASE)
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘`´ʼ"))
_LETTERS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})
_ACCENTS = re.compile("[\u0300-\u036f]")
_TOKEN = re.compile(r"[^\W_]+")


def without_names(text: str) -> str:
    """Return a text without URLs, settings and host names; an IP address becomes a word."""
    if "://" in text or "www." in text or "mailto:" in text:
        text = URL.sub(" ", text)
    if "=" in text:
        text = SETTING.sub(" ", text)
    if ":" in text or "." in text:
        text = IP.sub(_IP_WORD, text)
        text = HOST.sub(_drop_host, text)
    return text


def _drop_host(found: re.Match[str]) -> str:
    """Keep the names of faults (`STOREDRV.Deliver.Exception:…`)."""
    return found[0].replace(".", " ") if is_fault_name(found[0]) else " "


def is_fault_name(name: str) -> bool:
    """Tell whether what looks like a host name is a name that Exchange gives to a fault."""
    return any(sign in name.lower() for sign in _NO_HOST)


def clauses_of(text: str) -> list[str]:
    """Return the clauses of a cleaned text in plain letters, empty ones too."""
    return _CLAUSE_END.split(plain(text), MAX_CLAUSES)


def clause_at(text: str, place: int) -> int:
    """Return the number of the clause of a cleaned text that holds a place."""
    return sum(1 for end in islice(_CLAUSE_END.finditer(text, 0, place), MAX_CLAUSES))


def plain(text: str) -> str:
    """Return a text in small letters without accents and apostrophes."""
    if "'" in text or "’" in text:
        text = _ELISION.sub(r"\1 ", text)
    text = text.translate(_APOSTROPHES)
    if text.isascii():
        return text.lower()
    spread = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded(text).casefold()))
    return unicodedata.normalize("NFC", spread).translate(_LETTERS)


def words_of(text: str) -> list[str]:
    """Return the words of a plain text."""
    return _TOKEN.findall(text)[:MAX_WORDS]
