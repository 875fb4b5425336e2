"""From bytes to readings: open the envelopes, try the formats in order, join what they found."""

from bounce_watch.model import Kind, NotAReport, Reading, Report, Unreadable
from bounce_watch.parse.dates import read_date
from bounce_watch.parse.fields import ReportFields, kind_of
from bounce_watch.parse.fill_gaps import with_words
from bounce_watch.parse.fingerprint import fingerprint_of
from bounce_watch.parse.formats import STRUCTURED, WORDS, Format
from bounce_watch.parse.original import message_id_of, read_original
from bounce_watch.parse.other_kinds import find_kind, find_sealed, nothing_found, sealed_item
from bounce_watch.unwrap import FoundReport, Part, handed_on, parse, unwrap
from bounce_watch.unwrap.mime.compound_file import MAGIC


def read(raw: bytes) -> tuple[Reading, ...]:
    """Read every report in a message. Never raises for any bytes; at least one value.

    Several for a forward that holds several reports. Unreadable means that the same bytes will
    fail again.
    """
    if not raw or raw.isspace():
        return (Unreadable(reason="it is empty"),)
    try:
        message = parse(raw)
        if not _is_mail(message):
            return (sealed_item() if raw.startswith(MAGIC) else Unreadable(reason="it has no mail header"),)
        return tuple(reading for report in unwrap(message) for reading in _read_with_attached(report))
    # The seam between hostile bytes and everybody else: a fault of ours must not stop the run.
    except Exception as error:  # noqa: BLE001
        return (Unreadable(reason=f"the reader failed on it: {type(error).__name__}: {str(error)[:200]}"),)


def _is_mail(message: Part) -> bool:
    if "from" in message.headers or "subject" in message.headers:
        return True
    names = message.headers.names()
    return any(name.replace("-", "").replace("_", "").isalnum() and name.isascii() for name in names)


def _read_one(report: FoundReport) -> Reading:
    structured = _first(STRUCTURED, report)
    if structured is not None:
        form, found = structured
        return _report(report, form, with_words(found, report))
    other = find_kind(report)
    if other is not None:
        return other
    worded = _first(WORDS, report)
    return _report(report, *worded) if worded else nothing_found(report)


def _read_with_attached(report: FoundReport) -> tuple[Reading, ...]:
    """Read a message; when it is none of our kinds, the reports among the mails attached to it."""
    reading = _read_one(report)
    if isinstance(reading, NotAReport) and reading.kind is Kind.NOT_A_REPORT:
        attached = map(_read_one, handed_on(report))
        reports = tuple(found for found in attached if isinstance(found, Report))
        return reports or (find_sealed(report) or reading,)
    return (reading,)


def _first(formats: tuple[Format, ...], report: FoundReport) -> tuple[Format, ReportFields] | None:
    for form in formats:
        found = form.read(report)
        if found is not None:
            return form, found
    return None


def _report(report: FoundReport, form: Format, found: ReportFields) -> Report:
    headers = report.headers
    message_id = message_id_of(headers, "message-id")
    original = read_original(report, found.returned)
    return Report(
        kind=found.kind or kind_of(found.recipients),
        format=form.NAME,
        envelopes=report.envelopes,
        forwarded_by=report.forwarded_by,
        language=headers.line("content-language", 40),
        message_id=message_id,
        date=read_date(headers.first("date")),
        reporting_mta=found.reporting_mta,
        received_from_mta=found.received_from_mta,
        arrival_date=found.arrival_date,
        original_envelope_id=found.original_envelope_id,
        original=original,
        recipients=found.recipients,
        provenance=report.provenance,
        fingerprint=fingerprint_of(report, message_id, found.recipients, original),
    )
