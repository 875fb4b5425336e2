"""Read Authentication-Results (RFC 8601), tolerant of Exchange Online, which writes no authserv-id.

The rest of a clause (addresses, comments) is text of the message's sender, so quoted strings and comments
are taken out before anything is read.
"""

import re
from collections.abc import Iterator, Mapping

from bounce_watch.model import OriginalMessage, Provenance, Site
from bounce_watch.model.address import domain_of

_RESULT = re.compile(r"\s{0,20}(spf|dkim|dmarc|compauth)(?:/1)?\s{0,5}=\s{0,5}([a-z]{2,12})\b", re.IGNORECASE)
_SIGNER = re.compile(
    r"\sheader\.(?:d\s{0,5}=\s{0,5}|i\s{0,5}=\s{0,5}@)([a-z0-9.-]{1,253})(?=\s|$)", re.IGNORECASE
)
_LONGEST = 4_000
_BAD = frozenset({"fail", "softfail", "permerror"})


def read_results(field: str | None) -> Mapping[str, str]:
    """Return the result of each method; a DKIM pass outweighs a fail."""
    results: dict[str, str] = {}
    for clause in _clauses(field):
        match = _RESULT.match(clause)
        if match is None:
            continue
        method, verdict = match[1].lower(), match[2].lower()
        if method not in results or (method == "dkim" and verdict == "pass"):
            results[method] = verdict
    return results


def has_failed(field: str | None) -> bool:
    """Tell whether the author's domain did not authorize the message: DMARC failed, or SPF without DKIM."""
    results = read_results(field)
    if {results.get("dmarc"), results.get("compauth")} & {"fail"}:
        return True
    if "pass" in (results.get("dmarc"), results.get("dkim")):
        return False
    return results.get("spf") in _BAD


def is_disowned(original: OriginalMessage) -> bool:
    """Tell whether the Exchange that returned a message says that its author only used the sender's name.

    It came in without signing in, and the sender's domain did not authorize it. A message loses this stamp
    when it leaves Exchange, so only the stamp of our own can be in it.
    """
    returned = original.provenance
    if returned is None or "anonymous" not in (value.strip().lower() for value in returned.auth_as):
        return False
    results = read_results(returned.authentication_results)
    is_authorized = "pass" in (results.get("dmarc"), results.get("compauth"))
    return not is_authorized or has_failed(returned.authentication_results)


def find_our_signer(layer: Provenance, site: Site) -> str | None:
    """Return our domain whose DKIM signature a server that the site names verified, None for none.

    The author must be in one of our domains too: a signature says nothing about another author.
    """
    server, *clauses = _clauses(layer.authentication_results)
    name = server.split()[:1]
    is_by_us = site.is_our_host(domain_of(layer.from_address))
    if not name or name[0].lower() not in site.authserv_ids or not is_by_us:
        return None
    signers = (domain for clause in clauses for domain in _passing_signers(clause))
    return next((domain for domain in signers if domain in site.accepted_domains), None)


def _passing_signers(clause: str) -> Iterator[str]:
    match = _RESULT.match(clause)
    if match and (match[1].lower(), match[2].lower()) == ("dkim", "pass"):
        yield from (domain.lower() for domain in _SIGNER.findall(clause))


def _clauses(field: str | None) -> list[str]:
    return _without_quotes((field or "")[:_LONGEST]).split(";")


def _without_quotes(text: str) -> str:
    """Blank out quoted strings and comments, which may nest; one that never ends hides the rest."""
    kept, depth, is_quoted, is_escaped = [], 0, False, False
    for letter in text:
        is_plain = not depth and not is_quoted and letter not in '("'
        kept.append(letter if is_plain else " ")
        if is_escaped or (letter == "\\" and (depth or is_quoted)):
            is_escaped = not is_escaped
        elif letter == '"' and not depth:
            is_quoted = not is_quoted
        elif not is_quoted and letter in "()":
            depth = max(0, depth + (1 if letter == "(" else -1))
    return "".join(kept)
