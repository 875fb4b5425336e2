"""Read the reports in a message: open its envelopes and try the formats in order."""

from bounce_watch.model import Kind, NotAReport, Reading, Report, Unreadable
from bounce_watch.parse.answer import with_answer
from bounce_watch.parse.dates import read_date
from bounce_watch.parse.fields import ReportFields, kind_of
from bounce_watch.parse.fill_gaps import with_words
from bounce_watch.parse.fingerprint import fingerprint_of
from bounce_watch.parse.formats import STRUCTURED, WORDS, Format
from bounce_watch.parse.original import message_id_of, read_original
from bounce_watch.parse.other_kinds import find_kind, find_sealed, sealed_item
from bounce_watch.parse.remote_server import with_servers
from bounce_watch.unwrap import FoundReport, Part, candidates, parse, unwrap
from bounce_watch.unwrap.mime.compound_file import MAGIC


def read(raw: bytes) -> tuple[Reading, ...]:
    """Read every report in a message; a forward may hold several. Never raises, returns at least one value.

    Unreadable means that the same bytes will fail again.
    """
    if not raw or raw.isspace():
        return (Unreadable(reason="it is empty"),)
    try:
        message = parse(raw)
        if not _is_mail(message):
            return (sealed_item() if raw.startswith(MAGIC) else Unreadable(reason="it has no mail header"),)
        return with_answer(
            message, tuple(reading for found in unwrap(message) for reading in _read_with_attached(found))
        )
    # The bytes are hostile: an error in our code must not stop the run.
    except Exception as error:  # noqa: BLE001
        return (Unreadable(reason=f"the reader failed on it: {type(error).__name__}: {str(error)[:200]}"),)


def _is_mail(message: Part) -> bool:
    if "from" in message.headers or "subject" in message.headers:
        return True
    names = message.headers.names()
    return any(name.replace("-", "").replace("_", "").isalnum() and name.isascii() for name in names)


def _read_with_attached(message: FoundReport) -> tuple[Reading, ...]:
    """Read a message, or the reports attached to it if it is of no known kind."""
    reading = _read_one(message)
    if isinstance(reading, NotAReport) and reading.kind is Kind.NOT_A_REPORT:
        attached = map(_read_one, candidates(message))
        reports = tuple(found for found in attached if isinstance(found, Report))
        return reports or (find_sealed(message) or reading,)
    return (reading,)


def _read_one(message: FoundReport) -> Reading:
    """Read a message; the formats for machines come first, whatever the headers claim."""
    if found := _first(STRUCTURED, message):
        form, fields = found
        return _report(message, form, with_words(fields, message))
    if other := find_kind(message):
        return other
    if found := _first(WORDS, message):
        return _report(message, *found)
    reason = "it reports no delivery that we can read"
    return NotAReport(kind=Kind.NOT_A_REPORT, reason=reason, envelopes=message.envelopes)


def _first(formats: tuple[Format, ...], message: FoundReport) -> tuple[Format, ReportFields] | None:
    for form in formats:
        fields = form.read(message)
        if fields is not None:
            return form, fields
    return None


def _report(message: FoundReport, form: Format, found: ReportFields) -> Report:
    found = with_servers(found, message)
    headers = message.headers
    message_id = message_id_of(headers, "message-id")
    original = read_original(message, found.returned)
    return Report(
        kind=found.kind or kind_of(found.recipients),
        format=form.NAME,
        envelopes=message.envelopes,
        forwarded_by=message.forwarded_by,
        language=headers.line("content-language", 40),
        message_id=message_id,
        date=read_date(headers.first("date")),
        reporting_mta=found.reporting_mta,
        received_from_mta=found.received_from_mta,
        arrival_date=found.arrival_date,
        original_envelope_id=found.original_envelope_id,
        original=original,
        recipients=found.recipients,
        provenance=message.provenance,
        fingerprint=fingerprint_of(message, message_id, found.recipients, original),
    )
