"""Open the envelopes of a message from outside in, at most five, and stop at the first report.

The message that a report returns is never opened: an NDR about a journal report is an NDR.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from bounce_watch.model import Provenance
from bounce_watch.unwrap import journal
from bounce_watch.unwrap.automatic import only_quotes
from bounce_watch.unwrap.forwarded import Pasted, attached_messages, find_pasted
from bounce_watch.unwrap.found_report import DELIVERY_STATUS, FoundReport
from bounce_watch.unwrap.mime.headers import Headers
from bounce_watch.unwrap.mime.limits import MAX_ENVELOPES
from bounce_watch.unwrap.mime.tree import Part
from bounce_watch.unwrap.provenance import is_written_by_a_mail_system, provenance_of

_REPORT_PARTS = DELIVERY_STATUS | {"message/feedback-report", "message/disposition-notification"}
_RESENT = ("resent-from", "resent-to", "resent-sender")
_RULES_LOOP = "x-ms-exchange-inbox-rules-loop"
_ABOUT_DELIVERY = re.compile(
    r"couldn.t be delivered|could not be delivered|delivery has failed"
    r"|undeliver|delivery (?:status|failure)|returned mail|diagnostic information for administrators"
    r"|#[45]\.\d{1,3}\.\d{1,3}[ >]|\b[45]\d\d[ -]#?[45]\.\d{1,3}\.\d{1,3}"
    r"|^(?:unzustellbar|non remis|non recapitabile|onbestelbaar|não entregue|não é possível entregar"
    r"|no se puede entregar"
    r"|kan ikke leveres|kan inte levereras|ei voida toimittaa|nie można dostarczyć|не удается доставить"
    r"|недоставлено)",
    re.IGNORECASE,
)


class Layer(NamedTuple):
    """The envelopes opened so far; the fields are those of FoundReport."""

    envelopes: tuple[str, ...] = ()
    forwarded_by: str | None = None
    recipients: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()

    def opened(self, name: str) -> "Layer":
        return self._replace(envelopes=(*self.envelopes, name))

    def entered(self, message: Part) -> "Layer":
        """Add the headers of a message that was reached through the last envelope."""
        envelope = next((name for name in reversed(self.envelopes) if name != "redirect"), "")
        return self._with(provenance_of(message.headers, envelope))

    def pasted(self, inner: Pasted) -> "Layer":
        """Add what a pasted message shows of its headers."""
        return self.opened("inline")._with(provenance_of(_headers_of(inner), "inline"))

    def _with(self, provenance: Provenance) -> "Layer":
        return self._replace(provenance=(*self.provenance, provenance))


def unwrap(message: Part) -> tuple[FoundReport, ...]:
    """Return the reports in a message; the message itself if it holds none."""
    return tuple(_open(message, Layer())) or (_found(message, Layer().entered(message)),)


def candidates(report: FoundReport) -> tuple[FoundReport, ...]:
    """Return the messages attached to or pasted into a person's message in which no report was recognized.

    A format may still read them: not every mail system shows itself in the sender or the structure.
    """
    if report.inline is not None or len(report.envelopes) >= MAX_ENVELOPES or _writes_reports(report.headers):
        return ()
    by = report.forwarded_by or report.headers.address("from")
    layer = Layer(report.envelopes, by, report.recipients, report.provenance)
    within = layer.opened("attached")
    attached = tuple(_found(one, within.entered(one)) for one in attached_messages(report.message))
    pasted = None if attached or only_quotes(report.headers) else find_pasted(report.text)
    return attached if pasted is None else (_as_pasted(report.message, pasted, layer.opened("inline")),)


def _as_pasted(message: Part, pasted: Pasted, layer: Layer) -> FoundReport:
    return replace(_found(message, layer), inline=pasted.text, headers=_headers_of(pasted))


def _found(message: Part, layer: Layer) -> FoundReport:
    return FoundReport(message=message, headers=message.headers, **layer._asdict())


def _open(message: Part, layer: Layer) -> Iterator[FoundReport]:
    layer = layer.entered(message)
    is_report = _is_report(message)
    if _is_redirected(message.headers, is_report):
        layer = layer.opened("redirect")
    if len(layer.envelopes) >= MAX_ENVELOPES or is_report:
        yield _found(message, layer)
    elif journal.is_journal(message.headers) and (inside := journal.journalled(message)):
        yield from _open_journal(message, inside, layer)
    elif _writes_reports(message.headers):
        yield from _relayed_reports(message, layer) or (_found(message, layer),)
    else:
        yield from _open_forward(message, layer)


def _is_report(message: Part) -> bool:
    if message.content_type == "multipart/report":
        return True
    return any(part.content_type in _REPORT_PARTS for part in message.leaves())


def _is_redirected(headers: Headers, is_report: bool) -> bool:
    """Tell a redirect, which keeps the message, from a rule's forward, which is a new mail around it."""
    if any(name in headers for name in _RESENT):
        return True
    return _RULES_LOOP in headers and (is_report or _writes_reports(headers))


def _writes_reports(headers: Headers) -> bool:
    return is_written_by_a_mail_system(headers) or "x-failed-recipients" in headers


def _relayed_reports(message: Part, layer: Layer) -> tuple[FoundReport, ...]:
    """Return the reports that a mail system attached without naming an address itself: it forwards them."""
    if "@" in FoundReport(message=message, headers=message.headers).text:
        return ()
    within = layer.opened("attached")
    inside = (report for inner in attached_messages(message) for report in _open(inner, within))
    return tuple(report for report in inside if _is_report(report.message))


def _open_journal(message: Part, inside: Part, layer: Layer) -> Iterator[FoundReport]:
    within = layer.opened("journal")._replace(recipients=journal.recipients(message) or layer.recipients)
    found = tuple(_open(inside, within))
    yield from found or (_found(inside, within.entered(inside)),)


def _open_forward(message: Part, layer: Layer) -> Iterator[FoundReport]:
    if only_quotes(message.headers) and not journal.is_journal(message.headers):
        return
    by = layer.forwarded_by or message.headers.address("from")
    within = layer.opened("attached")._replace(forwarded_by=by)
    found = [report for inner in attached_messages(message) for report in _open(inner, within)]
    yield from found or _open_pasted(message, layer._replace(forwarded_by=by))


def _open_pasted(message: Part, layer: Layer) -> Iterator[FoundReport]:
    """Yield the report pasted into the text; pasted forwards of pasted forwards are followed."""
    view = FoundReport(message=message, headers=message.headers)
    pasted, text = None, view.text
    while len(layer.envelopes) < MAX_ENVELOPES and (inner := find_pasted(text)):
        pasted, text, layer = inner, inner.text, layer.pasted(inner)
        if _is_pasted_report(inner):
            break
    if pasted and _is_pasted_report(pasted):
        yield _as_pasted(message, pasted, layer)


def _is_pasted_report(pasted: Pasted) -> bool:
    by_system = is_written_by_a_mail_system(_headers_of(pasted))
    return by_system or _ABOUT_DELIVERY.search(f"{pasted.subject}\n{pasted.text[:8000]}") is not None


def _headers_of(pasted: Pasted) -> Headers:
    shown = (("From", pasted.sender_line), ("To", pasted.to), ("Subject", pasted.subject))
    return Headers((name, [value]) for name, value in shown if value)
