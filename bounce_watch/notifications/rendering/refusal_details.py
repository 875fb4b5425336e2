"""What refusals say beyond their codes, in short lines for admins."""

from collections import Counter
from collections.abc import Iterable

from bounce_watch.model import Details
from bounce_watch.notifications.rendering.local_time import exact
from bounce_watch.notifications.rendering.safe_text import plain, quoted

MAX_LINES = 6


def evidence_lines(details: Details | None) -> tuple[str, ...]:
    """Return what a refusal says beyond its code, as lines for admins."""
    if details is None:
        return ()
    named = {
        "Blocked address": details.blocked_ip,
        "Blocklist": plain(details.blocklist, 40),
        "Size limit, in bytes": details.size_limit,
        "Size of the mail, in bytes": details.message_size,
        "Result of the SPF check": details.spf_result,
        "Address that SPF looked at": details.spf_ip,
        "Domain that SPF looked at": details.spf_domain,
        "Domain of the DMARC policy": details.dmarc_domain,
        "Rule": quoted(details.rule, 160),
        "Tried until": exact(details.retry_until),
        "Microsoft's number": f"AS({details.as_number})" if details.as_number else None,
        "Last attempted address": details.last_attempted_ip,
        "Last attempted server": details.last_attempted_host,
    }
    return tuple(f"{label}: {value}" for label, value in named.items() if value)


def common_evidence(found: Iterable[Details]) -> tuple[str, ...]:
    """Return the most frequent lines of many refusals, with the count if above one."""
    counts = Counter(line for details in found for line in evidence_lines(details))
    return tuple(
        f"{line} ({count} times)" if count > 1 else line for line, count in counts.most_common(MAX_LINES)
    )
