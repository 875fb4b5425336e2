"""Addresses that no person reads: role accounts, robots, list machinery, rewritten senders.

Sources: RFC 3834 section 2, RFC 2142, RFC 5230 section 4.5, RFC 5321 section 4.5.1, the lists that
vacation(1) and Pigeonhole use, and the system mailboxes of Exchange (learn.microsoft.com, 2026-11).
"""

import re

_EXACT = frozenset(
    (
        *("mailer-daemon", "mailer", "postmaster", "abuse", "root", "uucp", "listserv", "majordomo"),
        *("nobody", "hostmaster", "webmaster", "daemon"),
        "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e",
    )
)
_PREFIXES = (
    *("owner-", "bounce", "notification", "alert"),
    *("healthmailbox", "systemmailbox", "discoverysearchmailbox", "migration.", "federatedemail."),
)
_SUFFIXES = ("-owner", "-request", "-relay", "-bounces", "-admin", "-errors")
# "no reply" in each language of our messages, at the start or behind a name such as `shop-`.
_NO_REPLY = re.compile(
    r"(?:^|[-._])(?:(?:no|do[-._]?not|dont)[-._]?reply|(?:nicht|keine)[-._]?antwort|no[-._]?respond"
    r"|ne[-._]?pas[-._]?repondre|non[-._]?risponde|niet[-._]?(?:be)?antwoord|geen[-._]?antwoord|nao[-._]?respond)"
)

# SRS0=, SRS1+ (shevek's SRS), user+SRS=hash=.. (Exchange Online), prvs= and btv1== (BATV).
# IMCEA: an X.500 or other address that Exchange encapsulated (MS-OXOABK), which is no mailbox.
_REWRITTEN_STARTS = (
    *("srs0=", "srs0+", "srs0-", "srs1=", "srs1+", "srs1-", "prvs=", "msprvs1=", "btv1==", "imceaex-"),
)
# VERP: the recipient inside the local part, its @ written as = (list-bounces+lena=fabrikam.example).
_VERP = re.compile(r"[+-][^=+]{1,64}=[^=.]{1,63}\.[^=]{1,63}\Z")


def is_robot(address: str) -> bool:
    """Tell whether no person reads the local part; a +detail is ignored."""
    local = address.rpartition("@")[0].casefold()
    base = local.partition("+")[0]
    return (
        base in _EXACT
        or local.startswith(_PREFIXES)
        or base.endswith(_SUFFIXES)
        or _NO_REPLY.search(local) is not None
    )


def is_rewritten(address: str) -> bool:
    """Tell whether the address was rewritten in transit or made by a system (SRS, BATV, VERP, IMCEAEX)."""
    local = address.rpartition("@")[0].casefold()
    return local.startswith(_REWRITTEN_STARTS) or "+srs=" in local or _VERP.search(local) is not None
