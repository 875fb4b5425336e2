"""What a server found out about a message on its way in: Authentication-Results (RFC 8601), read tolerantly.

Exchange Online writes no authserv-id, which strict parsers refuse (learn.microsoft.com, "Anti-spam message
headers", November 2026). Only the topmost field counts: those below came with the message.
"""

import re
from collections.abc import Mapping

_RESULT = re.compile(r"\s{0,20}(spf|dkim|dmarc|compauth)(?:/1)?\s{0,5}=\s{0,5}([a-z]{2,12})\b", re.IGNORECASE)
_LONGEST = 4_000
_BAD = frozenset({"fail", "softfail", "permerror"})


def read_results(field: str | None) -> Mapping[str, str]:
    """Return the verdict of each method named at the start of a clause; of several signatures a pass counts.

    What stands inside a clause (addresses, comments) is the sender's own text and is not looked at.
    """
    results: dict[str, str] = {}
    for clause in (field or "")[:_LONGEST].split(";"):
        match = _RESULT.match(clause)
        if match is None:
            continue
        method, verdict = match[1].lower(), match[2].lower()
        if method not in results or (method == "dkim" and verdict == "pass"):
            results[method] = verdict
    return results


def has_failed(field: str | None) -> bool:
    """Tell whether the author's domain did not authorise the message: DMARC failed, or all it rests on."""
    results = read_results(field)
    if {results.get("dmarc"), results.get("compauth")} & {"fail"}:
        return True
    if "pass" in (results.get("dmarc"), results.get("dkim")):
        return False
    return results.get("spf") in _BAD
