"""Take addresses and domains out of a text: each gets a name that is the same wherever it stands."""

import re
from collections.abc import Iterable

from bounce_watch.notifications.guidance.suggestions import PROVIDERS

# Wide on purpose: what looks like an address goes, also with characters that no mail system takes.
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]\\@]{1,256}@([\w.-]{1,253})")


class Redaction:
    """Replaces what it met before by the same name: `person-1@domain-1.example`.

    `domains` are replaced wherever they stand, in host names and ids too, and in the form with hyphens that
    Exchange Online makes of them. Common providers and ids that Exchange Online made stay.
    """

    def __init__(self, domains: Iterable[str]) -> None:
        self._people: dict[str, str] = {}
        self._domains: dict[str, str] = {}
        for domain in sorted(domains, key=lambda name: (-len(name), name)):
            self._domain(domain.lower())

    def text(self, text: str) -> str:
        """Return the text with every address and known domain replaced."""
        replaced = _ADDRESS.sub(self._person, text)
        for domain, name in self._domains.items():
            replaced = _whole(domain).sub(name, replaced)
            replaced = _whole(domain.replace(".", "-")).sub(name.replace(".", "-"), replaced)
        return replaced

    def _person(self, found: re.Match[str]) -> str:
        domain = found[1].rstrip(".").lower()
        if domain.endswith(".outlook.com"):
            return found[0]
        person = self._people.setdefault(found[0].rstrip(".").lower(), f"person-{len(self._people) + 1}")
        return f"{person}@{self._domain(domain)}"

    def _domain(self, domain: str) -> str:
        if domain in PROVIDERS:
            return domain
        return self._domains.setdefault(domain, f"domain-{len(self._domains) + 1}.example")


def _whole(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
