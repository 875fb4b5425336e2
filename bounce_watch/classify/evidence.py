"""How far a report is trusted. docs/adr/0013 holds the model; docs/how-it-decides.md has its table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest

from bounce_watch.classify.authentication import is_disowned
from bounce_watch.classify.layers import Author, Chain, LayerFinding, read_chain
from bounce_watch.classify.side import is_microsoft_host
from bounce_watch.model import Evidence, Provenance, Report, Signature, Site

_CLOCKS_DIFFER = timedelta(days=1)
DECIDED = "decided by"
"""The row of the table that names the layer and the header that decided."""

_NOT_OURS = "the bounced message (X-MS-Exchange-Organization-AuthAs): its sender was spoofed"

_LAYERS = {
    "": "the message in the mailbox",
    "journal": "the journaled message",
    "attached": "the attached message",
    "inline": "the pasted message",
}
_YES_NO = {True: "yes", False: "no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceResult:
    """The tier, and the table that led to it: (what was looked at, outcome)."""

    evidence: Evidence
    tests: tuple[tuple[str, str], ...]

    @property
    def decided(self) -> str:
        """The layer and the header that decided, in one line."""
        return decision_in(self.tests) or ""


def assess_evidence(report: Report, site: Site, *, is_known: bool = False) -> EvidenceResult:
    """Return the evidence tier of a report with every test and its outcome.

    `is_known`: our own records hold the Message-ID of the original message, with its sender.
    """
    layers = report.provenance or (Provenance(),)
    chain = read_chain(layers, site)
    proved = _tier_of_chain(report, chain, site)
    if proved and proved[0] is not Evidence.CONTRADICTORY and is_not_ours(report, site):
        proved = Evidence.UNVERIFIED, _NOT_OURS
    evidence, decided = proved or _tier_of_others(report, chain, site, is_known=is_known)
    rows = (*_layer_rows(layers, chain), *_original_rows(report, site, is_known=is_known))
    return EvidenceResult(
        evidence=evidence, tests=(*rows, ("authority", str(site.authority)), (DECIDED, decided))
    )


def decision_in(tests: Iterable[tuple[str, str]]) -> str | None:
    """Return the line of a table that decided; earlier versions stored only its reason, as `tier`."""
    rows = dict(tests)
    return rows.get(DECIDED) or rows.get("tier")


def is_not_ours(report: Report, site: Site) -> bool:
    """Tell whether our Exchange reports on a message that an outsider sent in our name."""
    return site.is_ours(report.original.sender) and is_disowned(report.original)


def _tier_of_chain(report: Report, chain: Chain, site: Site) -> tuple[Evidence, str] | None:
    """Return the tier that the layers prove, and the line that says so; None if they leave it open."""
    last, reporter, sender = chain.last, chain.reporter, (report.original.sender or "").lower()
    if last.author is Author.FORGER:
        return Evidence.CONTRADICTORY, f"{_named(last)}: it contradicts itself"
    if not chain.is_whole:
        return Evidence.UNVERIFIED, f"{_named(last)}: {last.author}, so nothing inside it counts"
    if reporter is not None and sender in ("", reporter.address):
        return Evidence.MEMBER, f"{_named(reporter)}: reported by {reporter.address}, about their own mail"
    if reporter is None and chain.is_vouched and _is_vouched_for(last, site):
        return (
            Evidence.INTERNAL,
            f"{_named(chain.findings[0])}: forwarded by an address in [trust] forwarders",
        )
    if reporter is None and last.author is Author.EXCHANGE:
        return Evidence.INTERNAL, f"{_named(last)}: our Exchange wrote it"
    return None


def _is_vouched_for(last: LayerFinding, site: Site) -> bool:
    """Tell whether a listed forwarder's report may be our Exchange's; pasted, it may lack the address."""
    is_nameless = last.layer.opened == "inline" and not last.address
    return last.author is Author.EXCHANGE or is_nameless or last.address in site.forwarders


def _tier_of_others(report: Report, chain: Chain, site: Site, *, is_known: bool) -> tuple[Evidence, str]:
    """Return the tier of a report that our Exchange did not write: it needs a proof that we sent the mail."""
    original, is_ours = report.original, site.is_ours(report.original.sender)
    if _is_younger(report):
        return Evidence.CONTRADICTORY, "the mail that came back (Date): it is younger than the report"
    if _is_foreign_report_on_ours(report, site):
        reporter = f"Reporting-MTA: {report.reporting_mta}"
        return (
            Evidence.CONTRADICTORY,
            f"the report ({reporter}): a stranger, on mail between our own addresses",
        )
    if is_ours and original.signature is Signature.VALID:
        return Evidence.CORRELATED, "the mail that came back (DKIM-Signature): our domain signed it"
    if is_ours and is_known:
        return Evidence.CORRELATED, "the mail that came back (Message-ID): our records know it"
    if chain.reporter is not None:
        who = f"reported by {chain.reporter.address}, about another user's message"
        return Evidence.UNVERIFIED, f"{_named(chain.reporter)}: {who}"
    return (
        Evidence.UNVERIFIED,
        f"{_named(chain.last)}: {chain.last.author}, and nothing proves that we sent the mail",
    )


def _named(found: LayerFinding) -> str:
    return f"{_LAYERS.get(found.layer.opened, found.layer.opened)} ({found.header})"


def _layer_rows(layers: tuple[Provenance, ...], chain: Chain) -> tuple[tuple[str, str], ...]:
    rows = []
    for number, (layer, found) in enumerate(zip_longest(layers, chain.findings), 1):
        outcome = (
            f"{found.author} ({found.header})" if found else "not looked at: it is inside the one before"
        )
        rows.append((f"{number}. {_LAYERS.get(layer.opened, layer.opened)}", outcome))
    return tuple(rows)


def _original_rows(report: Report, site: Site, *, is_known: bool) -> tuple[tuple[str, str], ...]:
    original = report.original
    sender = "ours" if site.is_ours(original.sender) else "not ours" if original.sender else "not named"
    return (
        ("sender of the mail", sender),
        ("our DKIM signature on the mail", str(original.signature)),
        ("our records know its Message-ID", _YES_NO[is_known]),
        ("the mail is younger than the report", _YES_NO[_is_younger(report)]),
        ("a stranger on mail between our own addresses", _YES_NO[_is_foreign_report_on_ours(report, site)]),
    )


def _is_younger(report: Report) -> bool:
    written, reported = report.original.date, report.date or report.arrival_date
    return written is not None and reported is not None and written - reported > _CLOCKS_DIFFER


def _is_foreign_report_on_ours(report: Report, site: Site) -> bool:
    """Tell whether a foreign server reports that our own addresses refused, which only our servers know."""
    recipients = [entry.final_recipient for entry in report.recipients]
    reporter = (report.reporting_mta or "").lower()
    if not recipients or not all(map(site.is_ours, recipients)) or is_microsoft_host(reporter):
        return False
    return bool(reporter) and not site.is_our_host(reporter)
