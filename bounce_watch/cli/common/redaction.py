"""Replace what identifies people by invented names: the same name means the same address throughout."""

import re
from collections.abc import Iterable

from bounce_watch.notifications.guidance.suggestions import PROVIDERS

# Wide on purpose: replace all that looks like an address, also if no mail system would accept it.
ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]\\@]{1,256}@([\w.-]{1,253})")


class Redaction:
    """Replaces each address and domain by the same invented name: `person-1@domain-1.example`.

    `domains` are replaced also in host names and ids, and in the form with hyphens that Exchange Online uses.
    Common providers and ids of Exchange Online stay.
    """

    def __init__(self, domains: Iterable[str]) -> None:
        self._people: dict[str, str] = {}
        self._domains: dict[str, str] = {}
        for domain in sorted(domains, key=lambda name: (-len(name), name)):
            self._domain(domain.lower())

    def text(self, text: str) -> str:
        replaced = ADDRESS.sub(self._person, text)
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
