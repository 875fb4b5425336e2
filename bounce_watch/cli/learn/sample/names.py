"""Find and replace what identifies people in a message: addresses, domains, display names, subjects, ids."""

import re
from collections.abc import Iterable, Iterator

from bounce_watch.cli.common.redaction import ADDRESS, Redaction
from bounce_watch.notifications.gate.robots import is_robot
from bounce_watch.sandbox.jobs import shipped_catalogue
from bounce_watch.shipped_files import catalogue_text

SUBJECT = "(subject)"

_TOKEN = re.compile(
    r"\{?\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b\}?"
    r"|(?<![\w.])[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}(?![\w.])"
    r"|(?<![\w+])(?=[A-Za-z+_]{0,60}\d)(?=[\d+_]{0,60}[A-Za-z])[\w+]{9,300}={0,2}(?![\w+])"
    r"|(?<![\w.(])\d{10,40}(?![\w.])",
    re.ASCII,
)
_KEPT_TOKEN = re.compile(
    r"(?:person|domain|token|name)[-_]?\d+|MicrosoftExchange\w+|iso\w+|windows\w+|utf\w+"
)
_SECOND_LEVELS = frozenset(("ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"))
_WORD = re.compile(r"[^\W\d_]{3,}")
_SYSTEM_WORDS = frozenset(
    word.lower()
    for word in (
        *_WORD.findall(catalogue_text()),
        *(
            "final",
            "reporting",
            "diagnostic",
            "arrival",
            "envelope",
            "subsystem",
            "daemon",
            "mailer",
            "attempt",
        ),
    )
)
"""Words of servers, which stay even where they are the name of an address."""
_DISPLAYED = re.compile(
    r"(?:[>|\s]{0,8}[A-Za-z-]{2,20}:)?\s{0,5}\"?([^\"<>@:]{2,80}?)\"?\s{0,5}<(?P<address>[^<>\s@]{1,256}@[^<>\s]{1,253})>"
    r"|X-Display-Name:\s{0,5}(.{2,80})"
)
_QUOTES = " \t\"'<>()[],;"


class NameRedaction(Redaction):
    """Replaces in texts of one message: the same name means the same address, person or id throughout."""

    def __init__(self, domains: Iterable[str], names: Iterable[str], subjects: Iterable[str]) -> None:
        super().__init__(domains)
        self._tokens: dict[str, str] = {}
        self._names = {name.lower(): f"Name{number}" for number, name in enumerate(_unique(names), 1)}
        longest = sorted(self._names, key=len, reverse=True)
        self._name = re.compile("|".join(map(_whole, longest)) or r"(?!)", re.IGNORECASE)
        self._subjects = sorted((one for one in subjects if len(one) > 2), key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text without the subject, addresses, domains, names and ids of the message."""
        for subject in self._subjects:
            text = re.sub(rf"(?<!\w){re.escape(subject)}(?!\w)", SUBJECT, text, flags=re.IGNORECASE)
        text = super().text(text)
        text = self._name.sub(lambda found: self._names[found[0].lower()], text)
        return _TOKEN.sub(self._token, text)

    def left_in(self, text: str) -> Iterator[str]:
        """Yield the names, addresses, domains and ids that are still in a text."""
        text = text.lower()
        for name in (*self._people, *self._tokens, *self._names, *self._domains):
            if re.search(_whole(name.lower()), text):
                yield name

    def _token(self, found: re.Match[str]) -> str:
        if _KEPT_TOKEN.fullmatch(found[0]):
            return found[0]
        return self._tokens.setdefault(found[0], f"token{len(self._tokens) + 1}")

    def _person(self, found: re.Match[str]) -> str:
        address = found[0].rstrip(".")
        local, _, domain = address.rpartition("@")
        if is_role(address):
            person = local
        else:
            person = self._people.setdefault(address.lower(), f"person-{len(self._people) + 1}")
        return f"{person}@{self._domain(domain.lower())}{found[0][len(address) :]}"

    def _domain(self, domain: str) -> str:
        """Return the invented form of a domain; a subdomain stays one, because the judge compares them."""
        if is_public(domain):
            return domain
        base = base_of(domain)
        return domain.removesuffix(base) + super()._domain(base)


def base_of(domain: str) -> str:
    """Return a domain's registered part: `contoso.com` of `mx1.contoso.com`, three labels for `co.uk`."""
    labels = domain.split(".")
    is_short = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3 if is_short else -2 :])


def is_role(address: str) -> bool:
    """Tell whether an address identifies no person: a server's own, in words of mail systems only."""
    local = address.rpartition("@")[0].lower()
    return local.startswith("microsoftexchange") or (
        is_robot(address) and "=" not in local and not names_in(local.replace("_", " "))
    )


def _whole(name: str) -> str:
    """Return a pattern for a name that stands alone, not as a label of a host name."""
    return rf"(?<![\w.@-]){re.escape(name)}(?![\w@-]|\.\w)"


def is_public(domain: str) -> bool:
    """Tell whether a domain shows which provider speaks, identifies no person, and is needed by the judge."""
    name = domain.lower()
    families = shipped_catalogue().knowledge.families
    return name.endswith(("outlook.com", "google.com", "gmail.com")) or any(
        family.speaks_in(name) for family in families
    )


def domains_in(text: str) -> set[str]:
    """Return the registered domains of all addresses in a text."""
    found = {match[1].strip(".").lower() for match in ADDRESS.finditer(text)}
    return {base_of(domain) for domain in found if "." in domain and not is_public(domain)}


def locals_in(text: str) -> Iterator[str]:
    """Yield the names in the local parts of addresses, as `anna` and `berg` of anna.berg@contoso.example."""
    for match in ADDRESS.finditer(text):
        local = match[0].rpartition("@")[0]
        if not is_role(match[0]):
            yield from names_in(local.replace("_", " "))
            if local.lower() not in _SYSTEM_WORDS:
                yield local


def display_names(text: str) -> Iterator[str]:
    """Yield the display names in lines such as `From: Anna Berg <anna@contoso.example>`, and their words."""
    for line in text.splitlines():
        found = _DISPLAYED.fullmatch(line.strip())
        if found and not is_role(found["address"] or ""):
            words = names_in(found[1] or found[3])
            yield from words
            if words:
                yield found[1] or found[3]


def names_in(display: str) -> list[str]:
    """Return the words of a name that are no words of mail systems."""
    return [word for word in _WORD.findall(display) if word.lower() not in _SYSTEM_WORDS]


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name.strip(_QUOTES).lower() for name in names if len(name.strip(_QUOTES)) > 2))
