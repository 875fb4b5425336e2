"""What a format reads from a report: its fields, and an entry for each recipient."""

import re
from datetime import datetime
from typing import NamedTuple

from bounce_watch.model import Action, Kind, RecipientFields
from bounce_watch.model.address import normalise
from bounce_watch.parse.smtp_reply import MAX_TEXT, NO_CODES, closer_status, find_codes, split_hops
from bounce_watch.unwrap import Headers
from bounce_watch.unwrap.mime.text import one_line


class ReportFields(NamedTuple):
    """The fields of one report. `kind` is None if it follows from the actions.

    `returned` are headers of the original message that the format found in the report's text.
    """

    recipients: tuple[RecipientFields, ...]
    kind: Kind | None = None
    reporting_mta: str | None = None
    received_from_mta: str | None = None
    arrival_date: datetime | None = None
    original_envelope_id: str | None = None
    returned: Headers | None = None


def kind_of(recipients: tuple[RecipientFields, ...]) -> Kind:
    """Return the kind that follows from the actions: a failure outweighs a delay, a delay a success."""
    actions = {entry.action for entry in recipients}
    if Action.FAILED in actions:
        return Kind.FAILURE
    if Action.DELAYED in actions:
        return Kind.DELAY
    return Kind.SUCCESS if actions - {None} else Kind.NOT_A_REPORT


_FIRST_ADDRESS = re.compile(
    r"(?:\"[^\"\s@][^\"\n@]{0,126}\"|[^\s<>,;:\"()\[\]]{1,320})@[^\s<>,;:\"()\[\]]{1,255}"
)
_STATUS_FIELD = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_LOCAL_NAME = re.compile(r"[\w.+=~%!/#$&'*^`{|}-]{1,128}")


def read_recipient(
    *,
    final: str | None,
    original: str | None = None,
    action: Action | None = Action.FAILED,
    status: str | None = None,
    diagnostic: str | None = None,
    remote_mta: str | None = None,
    last_attempt_date: datetime | None = None,
    will_retry_until: datetime | None = None,
) -> RecipientFields:
    """Build an entry. A status of x.0.0 is replaced by a closer one in the diagnostic text."""
    text = one_line(" ".join(diagnostic[: 2 * MAX_TEXT].split()), MAX_TEXT) if diagnostic else None
    # The line breaks matter for the codes: a code at the start of a line counts.
    own, *wrapped = map(find_codes, split_hops(diagnostic)) if diagnostic else (NO_CODES,)
    remote = wrapped[-1] if wrapped else NO_CODES
    return RecipientFields(
        final_recipient=final,
        original_recipient=original,
        action=action,
        status=closer_status(read_status(status), own.status),
        reply_code=own.reply_code,
        remote_mta=remote_mta,
        diagnostic_code=text or None,
        remote_status=remote.status,
        remote_reply_code=remote.reply_code,
        last_attempt_date=last_attempt_date,
        will_retry_until=will_retry_until,
    )


def read_status(value: str | None) -> str | None:
    """Return the status code at the start of a Status field."""
    match = _STATUS_FIELD.match(value) if value else None
    return match[1] if match else None


def read_address(value: str | None) -> str | None:
    """Return the address in a recipient field (RFC 3464 section 2.3.1), with or without an address type.

    A local user's bare name (`rfc822; root`) counts as an address. X.400 and null addresses give None.
    """
    if not value:
        return None
    kind, semicolon, rest = value.partition(";")
    text = one_line(rest if semicolon and "@" not in kind else value, 400)
    if match := _FIRST_ADDRESS.search(text.replace("<>", "")):
        return normalise(match[0].strip(".'`"))
    name = text.strip("<> ")
    # Exim names the file or program of a local delivery, which is not an address.
    return name if _LOCAL_NAME.fullmatch(name) and name[0] not in "/|" else None
