"""The headers that say where a message comes from. They are claims, not proofs."""

import re
from functools import lru_cache

from bounce_watch.model import Provenance
from bounce_watch.unwrap.mime.headers import Headers, addresses, first_address
from bounce_watch.unwrap.mime.text import one_line

OWN_MARK = "x-bounce-watch-id"
_MARK_IN_TEXT = re.compile(r"\bbw\.[0-9a-f]{16}\.[0-9a-f]{24}\b", re.IGNORECASE)
MAX_MARKS, MAX_MARKED = 10, 64 * 1024
MAX_RESULTS = 4000
MAX_SENDER = 4000
MAX_KNOWN = 1024
"""From fields whose result is kept, because the same systems write again and again."""
_ROBOT = re.compile(
    r"(?:mailer[-_.]?daemon|post[-_.]?master|microsoftexchange329e71ec88ae4615bbc36ab6ce41109e|mail[-_.]?daemon"
    r"|mail-delivery-subsystem|mdaemon)(?:[-+_.][^@]*)?(?:@|$)",
    re.IGNORECASE,
)
# Mail clients paste Exchange's own sender into a forward without its address.
_OUTLOOK = re.compile(
    r"\s{0,4}[\"'*]{0,3}(?:Microsoft (?:Outlook|Exchange)|System Administrator)[\"'*]{0,3}\s{0,4}(?:<|$)"
)
# A null path; Courier writes its host behind it.
_NOBODY = re.compile(r"<(?:@[^<>@\s]{1,255})?>\s{0,20}\Z")
_SYSTEM_NAME = re.compile(
    r"\s{0,4}[\"'*]{0,3}(?:Mail Delivery (?:Sub)?system|Mail Deliver System|Mailer[- ]Daemon)\b",
    re.IGNORECASE,
)


def provenance_of(headers: Headers, opened: str = "") -> Provenance:
    """Return the headers of one message that say where it comes from, and how it was reached."""
    return Provenance(
        opened=opened,
        from_address=_only_author(headers),
        return_path=headers.address("return-path"),
        auth_as=_lines(headers, "x-ms-exchange-organization-authas"),
        auth_source=_lines(headers, "x-ms-exchange-organization-authsource"),
        is_ndr="x-ms-exchange-message-is-ndr" in headers,
        authentication_results=headers.line("authentication-results", MAX_RESULTS),
        tenant_ids=_lines(headers, "x-ms-exchange-crosstenant-id"),
        own_marks=_lines(headers, OWN_MARK),
    )


def marks_in(text: str) -> tuple[str, ...]:
    """Return what may be our own marks in a text: tickets quote our letters, which name failed addresses."""
    return tuple(dict.fromkeys(_MARK_IN_TEXT.findall(text[:MAX_MARKED])))[:MAX_MARKS]


def _only_author(headers: Headers) -> str | None:
    """Return the From address; None for several, because programs disagree which of them counts."""
    is_single = len(headers.every("from")) == 1 and len(addresses(headers.first("from"), 2)) == 1
    return headers.address("from") if is_single else None


def _lines(headers: Headers, name: str) -> tuple[str, ...]:
    return tuple(one_line(value, 200) for value in headers.every(name)[:10]) if name in headers else ()


def is_robot(address: str | None) -> bool:
    """Tell whether an address, or a bare name in its place, belongs to a mail system."""
    return address is not None and _ROBOT.match(address.rpartition("<")[2].strip(">")) is not None


def is_written_by_a_mail_system(headers: Headers) -> bool:
    """Tell whether the From field names a mail system or is empty (`From: <>`)."""
    sender = headers.first("from")
    return sender is None or _is_a_mail_system(sender[:MAX_SENDER])


@lru_cache(MAX_KNOWN)
def _is_a_mail_system(sender: str) -> bool:
    if _NOBODY.search(sender) or _OUTLOOK.match(sender):
        return True
    return is_robot(first_address(sender)) or ("@" not in sender and is_robot(sender.strip()))


def has_system_name(headers: Headers) -> bool:
    """Tell whether the From field shows a mail system's name, whatever its address."""
    return _SYSTEM_NAME.match(headers.first("from") or "") is not None
