"""Which side refused: our own servers or the remote ones, Exchange or another system."""

import re

from bounce_watch.model import RecipientFields, Report, Side, Site
from bounce_watch.model.address import domain_of
from bounce_watch.parse.smtp_reply import split_hops
from bounce_watch.unwrap.fast_patterns import KeywordGuardedPattern

EXCHANGE_SENDER = "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e"
"""Local part of the sender of Exchange's own reports, the same in all tenants."""

_MICROSOFT = ("outlook.com", "hotmail.com", "office365.com", "office365.us", "outlook.cn")
_OUTBOUND = ("outbound.protection.outlook.com", "smtp.office365.com")
_INBOUND = ".mail.protection.outlook.com"
_POSTMASTERS = (EXCHANGE_SENDER, "postmaster", "mailer-daemon")
# Exchange writes these in English whatever the language (vendor page non-delivery-reports, November 2026).
_EXCHANGE_TEXT = KeywordGuardedPattern(
    r"\b(?:RESOLVER|STOREDRV|SMTPSEND|QUEUE|TRANSPORT|APPROVAL)\.[A-Z]|prod\.outlook\.com|protection\.outlook\.com"
    r"|\bAS\(\d{3,12}\)|\bATTR\d{1,3}\b|bad outbound sender|Remote server returned",
    re.IGNORECASE,
)
_REMOTE_TEXT = KeywordGuardedPattern(
    r"\bhost \S{1,80} ?\[[^\]]{1,45}\](?:: | said)|SMTP error from remote"
    r"|(?:remote (?:host|mail server|(?:smtp )?server)|other server) (?:said|at|returned|after|replied"
    r"|answered"
    r"|responded|issued|refused|rejected)|does not like recipient|did not like our",
    re.IGNORECASE,
)


def is_microsoft_host(host: str | None) -> bool:
    """Tell whether a host name belongs to Exchange Online or Outlook.com."""
    return _ends_with(host, _MICROSOFT)


def is_exchange_reply(text: str | None) -> bool:
    """Tell whether a reply holds words that only Exchange writes."""
    return _EXCHANGE_TEXT.search(text or "") is not None


def side_of(report: Report, fields: RecipientFields, site: Site | None) -> Side | None:
    """Return whose server refused, None if the report does not say.

    A remote MTA or a wrapped reply is theirs unless the host is ours and our side wrote the report: what
    others say about our servers is their word. Without them the reporter refused.
    """
    remote, reporter = _host(fields.remote_mta), _side_of_reporter(report, fields, site)
    if remote and remote != _host(report.reporting_mta):
        is_ours = _is_our_host(remote, report, site) or _is_our_microsoft_host(remote, site)
        return Side.OURS if is_ours and reporter is not Side.THEIRS else Side.THEIRS
    if _is_wrapped(fields) or _REMOTE_TEXT.search(fields.diagnostic_code or ""):
        return Side.THEIRS
    return reporter


def _is_wrapped(fields: RecipientFields) -> bool:
    """Tell whether the reporter passed on another server's reply."""
    stated = fields.remote_status or fields.remote_reply_code
    return stated is not None or len(split_hops(fields.diagnostic_code or "")) > 1


def _side_of_reporter(report: Report, fields: RecipientFields, site: Site | None) -> Side | None:
    reporter = _host(report.reporting_mta)
    if _is_our_host(reporter, report, site) or _is_our_postmaster(report, site):
        return Side.OURS
    if is_microsoft_host(reporter):
        return Side.THEIRS if _is_foreign_author(report, site) else Side.OURS
    if reporter is None:
        return Side.THEIRS if site and _is_foreign_author(report, site) else None
    if site is not None or _ends_with(reporter, _domains(fields.final_recipient)):
        return Side.THEIRS
    return None


def _is_our_host(host: str | None, report: Report, site: Site | None) -> bool:
    if site is None:
        return _ends_with(host, _domains(report.original.sender))
    return _ends_with(host, (*site.own_hosts, *site.accepted_domains))


def _is_our_microsoft_host(host: str, site: Site | None) -> bool:
    """Tell whether our mail leaves through this host of Microsoft, or enters our own tenant there.

    An MX host has the name of its domain, with hyphens for dots; the others are other tenants'.
    """
    domains = site.accepted_domains if site else ()
    own = (domain.replace(".", "-") + _INBOUND for domain in domains)
    return _ends_with(host, _OUTBOUND) or host in own


def _is_our_postmaster(report: Report, site: Site | None) -> bool:
    """Tell whether one of our postmasters wrote the report."""
    author = _author(report)
    if not author or author.partition("@")[0].lower() not in _POSTMASTERS:
        return False
    domain = domain_of(author)
    return site.is_ours(author) if site else domain in _domains(report.original.sender)


def _is_foreign_author(report: Report, site: Site | None) -> bool:
    domain = domain_of(_author(report))
    ours = site.accepted_domains if site else _domains(report.original.sender)
    if not domain or not ours or domain.endswith(".onmicrosoft.com"):
        return False
    return domain not in ours


def _author(report: Report) -> str | None:
    """Return the From address of the report itself; an inline forward has none of its own."""
    own = report.provenance[-1] if report.provenance else None
    if own is None or own.opened == "inline" or own.from_address == report.forwarded_by:
        return None
    return own.from_address


def _domains(address: str | None) -> tuple[str, ...]:
    domain = domain_of(address)
    return (domain,) if domain else ()


def _host(name: str | None) -> str | None:
    """Return a host name in lower case, without type prefix, brackets or trailing dot."""
    if not name:
        return None
    bare = name.rpartition(";")[2].split()
    return bare[0].strip("[]().").lower() or None if bare else None


def _ends_with(host: str | None, domains: tuple[str, ...]) -> bool:
    name = _host(host)
    return name is not None and any(name == domain or name.endswith(f".{domain}") for domain in domains)
