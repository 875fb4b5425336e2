"""What a message says about the delivery of another (RFC 3464), and the results of reading it."""

from dataclasses import dataclass, field
from datetime import datetime

from bounce_watch.model.vocabulary import Action, Kind, Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientFields:
    """One per-recipient group (RFC 3464 section 2.3). Absent values are None.

    `diagnostic_code` is the unfolded text without its type prefix, at most 2,000 characters.
    `status` and `reply_code` are the reporter's verdict; `remote_status` and `remote_reply_code`
    are those of the inner reply when the reporter wrapped one (`550 5.7.350 ... -> 554 5.7.1 ...`).
    """

    final_recipient: str | None
    original_recipient: str | None = None
    action: Action | None = None
    status: str | None = None
    reply_code: str | None = None
    remote_mta: str | None = None
    diagnostic_code: str | None = None
    remote_status: str | None = None
    remote_reply_code: str | None = None
    last_attempt_date: datetime | None = None
    will_retry_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalMessage:
    """The original message, as far as the report returns it.

    `automatic` names the header fields that mark it as written by a machine (`List-Id`, `Auto-Submitted`,
    `Precedence`, ...). `own_marks` holds the values of our X-Bounce-Watch-ID, also those that the report
    quotes; if there are any, it is about one of our own messages. `signed_headers` is the returned header
    block, byte for byte in Latin-1, if it holds a DKIM signature; `signature` is the result of checking it.
    `provenance` is what the returned headers say about where it came from, None without any.
    """

    message_id: str | None = None
    sender: str | None = None
    subject: str | None = None
    date: datetime | None = None
    recipients: tuple[str, ...] = ()
    automatic: tuple[str, ...] = ()
    own_marks: tuple[str, ...] = ()
    signed_headers: str | None = field(default=None, repr=False)
    signature: Signature = Signature.NOT_CHECKED
    provenance: "Provenance | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The headers of one layer that say where it comes from. They are claims, not facts.

    `opened` says how the layer before holds this one: `journal`, `attached`, or `inline` (pasted, of which
    only the shown From is known); empty for the outermost. `from_address` is None unless there is
    exactly one From field with one address.
    `auth_as` holds every value of X-MS-Exchange-Organization-AuthAs in order; two are suspicious.
    `is_ndr` is the presence of X-MS-Exchange-Message-Is-Ndr, which Exchange writes empty.
    `authentication_results` is the topmost field of that name, because the message brought the others.
    `tenant_ids` holds every value of X-MS-Exchange-CrossTenant-Id.
    """

    opened: str = ""
    from_address: str | None = None
    return_path: str | None = None
    auth_as: tuple[str, ...] = ()
    auth_source: tuple[str, ...] = ()
    is_ndr: bool = False
    authentication_results: str | None = None
    tenant_ids: tuple[str, ...] = ()
    own_marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A message that a person seems to have written in reply to one of ours. All of it is a claim.

    `mark` is our ID of the answered message (`bw....`), in lower case. `words` is what the person wrote,
    without the quote.
    """

    mark: str
    message_id: str | None
    provenance: Provenance
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one report says. `envelopes` names its envelopes, outermost first.

    `provenance` has one entry for each layer, outermost first; the last is the report's own.
    `forwarded_by` is the From address of the member who forwarded the report, None for a bare one.
    `language` is the report's Content-Language (RFC 3282) as written, such as `de-DE`.
    `message_id` and `date` are the report's own. `fingerprint` is equal for every copy of one report
    (delivered twice, journaled, UIDs renumbered), whatever its raw bytes, which Exchange rewrites.
    `answer` is set on the first reading of a message that may be a reply to ours: the report in it may be
    the quote.
    """

    kind: Kind
    format: str
    envelopes: tuple[str, ...] = ()
    forwarded_by: str | None = None
    language: str | None = None
    message_id: str | None = None
    date: datetime | None = None
    reporting_mta: str | None = None
    received_from_mta: str | None = None
    arrival_date: datetime | None = None
    original_envelope_id: str | None = None
    original: OriginalMessage = field(default_factory=OriginalMessage)
    recipients: tuple[RecipientFields, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    fingerprint: str = ""
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAReport:
    """A readable message that reports no delivery. `kind` is auto_reply, receipt or not_a_report.

    `original` is the message that an automatic reply or a receipt is about. `answer` is as in `Report`.
    """

    kind: Kind
    reason: str
    envelopes: tuple[str, ...] = ()
    original: OriginalMessage = field(default_factory=OriginalMessage)
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A message that cannot be read. The same bytes will fail again, so they are quarantined."""

    reason: str


Reading = Report | NotAReport | Unreadable
"""The result of reading one message in its envelopes."""
