"""Who a message layer says it comes from: claims in its headers, no proof."""

import re

from bounce_watch.model import Provenance
from bounce_watch.unwrap.charset import one_line
from bounce_watch.unwrap.headers import Headers

OWN_MARK = "x-bounce-watch-id"
_ROBOT = re.compile(
    r"(?:mailer[-_.]?daemon|post[-_.]?master|microsoftexchange329e71ec88ae4615bbc36ab6ce41109e|mail[-_.]?daemon"
    r"|mailerdaemon|mail-delivery-subsystem|mdaemon|bounce[sd]?)(?:[-+_.][^@]*)?(?:@|$)",
    re.IGNORECASE,
)


def provenance_of(headers: Headers) -> Provenance:
    """Collect the headers of one layer that say where it comes from."""
    return Provenance(
        from_address=headers.address("from"),
        return_path=headers.address("return-path"),
        auth_as=_lines(headers, "x-ms-exchange-organization-authas"),
        auth_source=_lines(headers, "x-ms-exchange-organization-authsource"),
        is_ndr="x-ms-exchange-message-is-ndr" in headers,
        own_marks=_lines(headers, OWN_MARK),
    )


def _lines(headers: Headers, name: str) -> tuple[str, ...]:
    return tuple(one_line(value, 200) for value in headers.every(name)[:10])


def is_robot(address: str | None) -> bool:
    """Tell whether an address is one that mail systems write their reports from."""
    return address is not None and _ROBOT.match(address) is not None


def is_written_by_a_mail_system(headers: Headers) -> bool:
    """Tell whether the From field names a mail system, or the message had no return path at all."""
    sender = headers.first("from")
    if sender is None:
        return True
    return is_robot(headers.address("from")) or (is_robot(sender.strip()) and "@" not in sender)
