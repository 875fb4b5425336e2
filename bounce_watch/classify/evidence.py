"""How far a report is trusted: named tests over its provenance headers, which are claims, not facts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bounce_watch.classify.side import EXCHANGE_SENDER, is_microsoft_host
from bounce_watch.model import Authority, Evidence, Provenance, Report, Signature, Site
from bounce_watch.model.address import domain_of

_RESULT = re.compile(r"\s{0,20}(spf|dkim|dmarc|compauth)(?:/1)?\s{0,5}=\s{0,5}([a-z]{2,12})\b", re.IGNORECASE)
_LONGEST = 4_000
_BAD = frozenset({"fail", "softfail", "permerror"})
INTERNAL_MARK = "internal"
_TENANT = ".onmicrosoft.com"
_SERVICE = ".prod.outlook.com"
_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceResult:
    """The tier, and the tests that led to it: (name, outcome)."""

    evidence: Evidence
    tests: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """The results of the tests on one report."""

    single_auth_as: bool
    claims_ours: bool
    anonymous_claim: bool
    brought_by_us: bool
    anonymous_member: bool
    marked_internal: bool
    sender_is_ours: bool
    sender_is_foreign: bool
    we_sent_it: bool
    we_signed_it: bool
    failed_as_ours: bool
    reporter_failed: bool
    foreign_tenant: bool
    mail_is_younger: bool
    foreign_report_on_ours: bool


def assess_evidence(report: Report, site: Site) -> EvidenceResult:
    """Return the evidence tier of a report with every test and its outcome.

    `internal` means that our own Exchange wrote the report. It marks its messages with exactly one
    X-MS-Exchange-Organization-AuthAs: Internal, and removes that header from incoming messages (header
    firewall of Exchange, November 2026). With authority `mailbox` a report in the mailbox needs no mark.
    """
    facts = _read_facts(report, site)
    evidence, reason = _tier(facts, site.authority)
    if evidence is Evidence.INTERNAL and report.forwarded_by is not None:
        evidence, reason = _tier_of_forward(report, report.forwarded_by.lower(), site)
    signature = ("our DKIM signature on the mail", report.original.signature)
    tests = (*_outcomes(facts), signature, ("authority", site.authority), ("tier", reason))
    return EvidenceResult(evidence=evidence, tests=tests)


def _read_facts(report: Report, site: Site) -> _Facts:
    layers = report.provenance or (Provenance(),)
    own = layers[-1]
    sender = report.original.sender
    claiming = [layer for layer in layers if _is_exchange_author(layer, site)]
    return _Facts(
        single_auth_as=all(len(layer.auth_as) <= 1 for layer in layers),
        claims_ours=bool(claiming),
        anonymous_claim=any(map(_is_anonymous, claiming)),
        brought_by_us=report.forwarded_by is None or site.is_ours(report.forwarded_by),
        anonymous_member=report.forwarded_by is not None and _is_anonymous(layers[0]),
        marked_internal=_is_marked(report, layers[0], own, site),
        sender_is_ours=site.is_ours(sender),
        sender_is_foreign=domain_of(sender) is not None and not site.is_ours(sender),
        we_sent_it=_is_our_message_id(report.original.message_id, site),
        we_signed_it=report.original.signature is Signature.VALID,
        failed_as_ours=any(map(_has_failed, claiming)),
        reporter_failed=any(map(_has_failed, layers)),
        foreign_tenant=any(_is_of_another_tenant(layer, site) for layer in layers),
        mail_is_younger=_is_younger(report),
        foreign_report_on_ours=_is_foreign_report_on_ours(report, site),
    )


def _tier(facts: _Facts, authority: Authority) -> tuple[Evidence, str]:
    """Return the tier of the first line that holds; contradictions come before marks."""
    trusted = authority is Authority.MAILBOX
    contradictory, unverified = Evidence.CONTRADICTORY, Evidence.UNVERIFIED
    lines = (
        (not facts.single_auth_as, contradictory, "several AuthAs values, our Exchange writes one"),
        (facts.anonymous_claim, contradictory, "claims to be our Exchange, but came in as anonymous"),
        (
            facts.failed_as_ours and not trusted,
            contradictory,
            "claims to be our Exchange, but our domain did not authorise it",
        ),
        (facts.foreign_tenant, contradictory, "names another tenant, or several"),
        (not facts.brought_by_us, unverified, "forwarded by somebody outside the organisation"),
        (facts.anonymous_member, unverified, "forwarded in a member's name, but came in as anonymous"),
        (facts.marked_internal, Evidence.INTERNAL, "our Exchange marked it as its own"),
        (
            facts.mail_is_younger and not trusted,
            contradictory,
            "reports on a mail that was written after the report",
        ),
        (
            facts.foreign_report_on_ours and not trusted,
            contradictory,
            "a stranger reports on mail between our own addresses",
        ),
        (facts.sender_is_foreign, unverified, "reports on a mail whose sender is not ours"),
        (trusted, Evidence.INTERNAL, "it lies in the mailbox, which the configuration trusts"),
        (facts.we_signed_it, Evidence.CORRELATED, "foreign, on a mail that our domain signed"),
        (facts.reporter_failed, unverified, "whoever reports did not authenticate"),
        (facts.we_sent_it and facts.sender_is_ours, Evidence.CORRELATED, "foreign, on a mail that we sent"),
    )
    found = ((evidence, reason) for holds, evidence, reason in lines if holds)
    return next(found, (unverified, "nothing proves that we sent the mail"))


def _tier_of_forward(report: Report, by: str, site: Site) -> tuple[Evidence, str]:
    """Return the tier of a report that a member forwarded: it counts about this member only."""
    sender = report.original.sender
    if by in site.forwarders:
        return Evidence.INTERNAL, "forwarded by an address that the configuration trusts"
    if sender is None or sender.lower() == by:
        return Evidence.MEMBER, "forwarded by the member whom it is about"
    return Evidence.UNVERIFIED, "forwarded by a member, about somebody else"


def _outcomes(facts: _Facts) -> tuple[tuple[str, str], ...]:
    names = {
        "single_auth_as": "at most one AuthAs value a layer",
        "claims_ours": "written as our Exchange",
        "anonymous_claim": "written as our Exchange, but anonymous",
        "brought_by_us": "bare or forwarded by a member",
        "anonymous_member": "forwarded, but anonymous",
        "marked_internal": "marked as internal by Exchange",
        "sender_is_ours": "sender of the mail is ours",
        "we_sent_it": "Message-ID of the mail is ours",
        "failed_as_ours": "written as our Exchange, but not authorised by our domain",
        "reporter_failed": "authentication of a layer failed",
        "foreign_tenant": "names another tenant",
        "mail_is_younger": "the mail is younger than the report",
        "foreign_report_on_ours": "a stranger on mail between our own addresses",
    }
    return tuple((text, "yes" if getattr(facts, name) else "no") for name, text in names.items())


def _is_marked(report: Report, outer: Provenance, own: Provenance, site: Site) -> bool:
    """Tell whether Exchange marked the layers that count: of a forward the outer one, of a journal both."""
    if report.forwarded_by is not None:
        return _is_internal(outer)
    if not _is_internal(own) or not (own.is_ndr or _is_exchange_author(own, site, tenants=True)):
        return False
    return _is_internal(outer)


def _is_internal(layer: Provenance) -> bool:
    return [value.strip().lower() for value in layer.auth_as] == [INTERNAL_MARK]


def _is_anonymous(layer: Provenance) -> bool:
    return "anonymous" in (value.strip().lower() for value in layer.auth_as)


def _has_failed(layer: Provenance) -> bool:
    return has_failed(layer.authentication_results)


def _is_of_another_tenant(layer: Provenance, site: Site) -> bool:
    """Tell whether a layer names several tenants, or claims to be internal and names another tenant."""
    named = {tenant.strip().lower() for tenant in layer.tenant_ids}
    if len(named) > 1:
        return True
    is_ours = _is_internal(layer) or _is_exchange_author(layer, site)
    return bool(named) and site.tenant is not None and is_ours and named != {site.tenant}


def _is_younger(report: Report) -> bool:
    written, reported = report.original.date, report.date or report.arrival_date
    return written is not None and reported is not None and written - reported > _CLOCKS_DIFFER


def _is_foreign_report_on_ours(report: Report, site: Site) -> bool:
    """Tell whether a foreign server reports that our own addresses refused, which only our servers know."""
    recipients = [entry.final_recipient for entry in report.recipients]
    reporter = (report.reporting_mta or "").lower()
    if not recipients or not all(map(site.is_ours, recipients)) or is_microsoft_host(reporter):
        return False
    ours = (*site.accepted_domains, *site.own_hosts)
    return bool(reporter) and not any(reporter == host or reporter.endswith(f".{host}") for host in ours)


def _is_exchange_author(layer: Provenance, site: Site, *, tenants: bool = False) -> bool:
    """Tell whether Exchange's reports in our domains (or any tenant's) have this From address."""
    local, _, domain = (layer.from_address or "").lower().rpartition("@")
    if local not in (EXCHANGE_SENDER, "postmaster"):
        return False
    return domain in site.accepted_domains or (tenants and domain.endswith(_TENANT))


def _is_our_message_id(message_id: str | None, site: Site) -> bool:
    domain = domain_of((message_id or "").strip().strip("<>"))
    return domain is not None and (domain in site.accepted_domains or domain.endswith(_SERVICE))


def read_results(field: str | None) -> Mapping[str, str]:
    """Return the result of each method in Authentication-Results (RFC 8601); a DKIM pass outweighs a fail.

    Exchange Online writes no authserv-id, which strict parsers reject (learn.microsoft.com, "Anti-spam
    message headers", November 2026). The rest of a clause (addresses, comments) is the sender's own text.
    """
    results: dict[str, str] = {}
    for clause in (field or "")[:_LONGEST].split(";"):
        match = _RESULT.match(clause)
        if match is None:
            continue
        method, verdict = match[1].lower(), match[2].lower()
        if method not in results or (method == "dkim" and verdict == "pass"):
            results[method] = verdict
    return results


def has_failed(field: str | None) -> bool:
    """Tell whether the author's domain did not authorize the message: DMARC failed, or SPF without DKIM."""
    results = read_results(field)
    if {results.get("dmarc"), results.get("compauth")} & {"fail"}:
        return True
    if "pass" in (results.get("dmarc"), results.get("dkim")):
        return False
    return results.get("spf") in _BAD
