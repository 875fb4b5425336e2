"""`calibrate`: count the evidence in genuine reports of the site, and propose settings for `[trust]`."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from bounce_watch.classify import assess_evidence
from bounce_watch.classify.evidence import EvidenceResult
from bounce_watch.cli.common.output import emit_json, say
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.config.trust import Trust
from bounce_watch.model import Authority, Evidence, Kind, Report, Signature, Site
from bounce_watch.parse import read
from bounce_watch.pipeline.context import find_signatures
from bounce_watch.pipeline.dkim import SignatureChecker
from bounce_watch.pipeline.wiring import source_of
from bounce_watch.source import open_path
from bounce_watch.source.interface import Source

_MIN_REPORTS = 5
"""With fewer reports nothing is proposed."""

_NO_MARK = """\
No report carries Exchange's mark, and nothing that these messages say can take its place: an outsider could
write the same. So no other authority is proposed. Let the mark through instead:
- In Exchange Online, watch a shared mailbox of the same organization; the mark survives inbox rules there.
- On Exchange servers of your own: Set-OutboundConnector -Identity '...' -CloudServicesMailEnabled $true
- At a third party: Set-DkimSigningConfig -Identity '...' -Enabled $true, let the receiving server check
  signatures, then set authority = "authentication-results" and name that server in authserv_ids.
To see what your site does, run bounce-watch check --probe --by-hand."""

_MAILBOX = """
authority = "mailbox", set now, is right only while your own Exchange alone can deliver there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The evidence of one report without our DKIM signature. `is_proved`: the signature raises its tier."""

    assessed: EvidenceResult
    signature: Signature
    is_proved: bool


def calibrate(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Genuine reports: files, Maildirs, mboxes.")
    ] = None,
    mailbox: Annotated[bool, typer.Option("--mailbox", help="Look into the watched mailboxes.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many mails.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Propose what [trust] should say for this site.

    It shows which evidence genuine reports carry.

    Our DKIM keys are asked for in the DNS where bounce-watch[dkim] is installed. Nothing is stored or moved.
    """
    if mailbox == bool(paths):
        raise typer.BadParameter("name files that hold genuine reports, or use --mailbox")
    config = load_config(context.obj)
    checker = find_signatures(config)
    sources = map(open_path, paths) if paths else map(source_of, config.source)
    seen = list(_assess_all(config, sources, limit, checker))
    tiers = Counter(str(one.assessed.evidence) for one in seen)
    tests = Counter(line for one in seen for line in _layers(one.assessed))
    signatures = Counter(str(one.signature) for one in seen)
    proved = sum(one.is_proved for one in seen)
    marked = tiers["internal"] + tiers["member"]
    authority = _assessing(config) if len(seen) >= _MIN_REPORTS and marked * 2 >= len(seen) else None
    dkim = _propose_dkim(len(seen), proved, signatures)
    if as_json:
        found = {"reports": len(seen), "tiers": tiers, "tests": tests, "signatures": signatures}
        emit_json({**found, "proved_by_signature": proved, "authority": authority, "dkim": dkim})
        return
    say(f"{len(seen)} reports read.")
    titles = ("Evidence", "What they carry", "Your DKIM signature on the mail they return")
    for title, counted in zip(titles, (tiers, tests, signatures), strict=True):
        say(f"{title}:")
        for name, count in counted.most_common():
            say(f"  {count:5} {name}")
    say(_advise(authority, config.trust.authority, len(seen), marked))
    say(_advise_dkim(config.trust, dkim, proved, can_check=checker is not None))


def _assess_all(
    config: Config, sources: Iterable[Source], limit: int, checker: SignatureChecker | None
) -> Iterator[_Seen]:
    """Assess failures by what they carry, independent of whether the configuration trusts the mailbox."""
    site = replace(config.site, authority=_assessing(config))
    for source in sources:
        with source:
            for message in islice(source.messages(), limit):
                reports = (reading for reading in read(message.raw) if isinstance(reading, Report))
                failures = (report for report in reports if report.kind is Kind.FAILURE)
                yield from (_assess(report, site, checker) for report in failures)


def _assess(report: Report, site: Site, checker: SignatureChecker | None) -> _Seen:
    signed = checker.checked_report(report) if checker else report
    assessed = assess_evidence(report, site)
    is_proved = assess_evidence(signed, site).evidence is not assessed.evidence
    return _Seen(assessed=assessed, signature=signed.original.signature, is_proved=is_proved)


def _assessing(config: Config) -> Authority:
    """Return the authority whose proof is looked for; a position in a mailbox shows in no message."""
    now = config.trust.authority
    return Authority.EXCHANGE_HEADERS if now is Authority.MAILBOX else now


def _layers(assessed: EvidenceResult) -> Iterator[str]:
    """Yield who wrote each layer, without the values of headers."""
    layers = ((name, outcome) for name, outcome in assessed.tests if name[:1].isdigit())
    yield from (f"{name}: {outcome.partition(' (')[0]}" for name, outcome in layers)


def _propose_dkim(reports: int, proved: int, signatures: Counter[str]) -> bool | None:
    """Return whether our signature proves reports that nothing else proves; None for too few signatures."""
    seen = reports - signatures[Signature.NOT_CHECKED] - signatures[Signature.UNKNOWN]
    return proved > 0 if seen >= _MIN_REPORTS else None


def _advise(proposal: Authority | None, now: Authority, reports: int, marked: int) -> str:
    """Return what to do about the authority. `marked`: number of reports whose layers are proved."""
    if reports < _MIN_REPORTS:
        return f"Too few reports to propose a setting: {_MIN_REPORTS} failures are needed."
    if proposal is None and marked:
        return (
            "Too mixed to propose a setting: look at some of them with bounce-watch explain FILE --evidence."
        )
    if proposal is None:
        return _NO_MARK + (_MAILBOX if now is Authority.MAILBOX else "")
    verb = "Keep" if proposal == now else "Set"
    return f'{verb} authority = "{proposal}" in [trust]: your genuine reports carry what it asks for.'


def _advise_dkim(trust: Trust, proposal: bool | None, proved: int, *, can_check: bool) -> str:
    """Return what to do about our signature. `proved`: number of reports that only it proves."""
    if not can_check:
        return "Your DKIM signatures were not looked at: pip install 'bounce-watch[dkim]' adds what it takes."
    if proposal is None:
        return (
            "Too few signatures could be looked at to propose dkim; see whether this machine may ask the DNS."
        )
    if not proposal:
        return f"{'Set' if trust.dkim else 'Keep'} dkim = false in [trust]: it would prove no report more."
    proof = f"your signature, and nothing else, proves {proved} of the reports"
    return f"{'Keep' if trust.dkim else 'Set'} dkim = true in [trust]: {proof}.{_remark(trust)}"


def _remark(trust: Trust) -> str:
    if Evidence.CORRELATED in trust.accept:
        return ""
    return " They count as correlated, which accept in [trust] does not name."
