"""The questions of `init`, and the answers that do without a question."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.output import say
from bounce_watch.config.accounts import is_exchange_online
from bounce_watch.config.organisation import MIN_RETENTION_DAYS, Retention

EXCHANGE_ONLINE = "outlook.office365.com"
SUBMISSION = "smtp.office365.com"
_PHONE = re.compile(r"[+(]?\d[\d ()/.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The values of the flags; None, empty or [] for a flag that was not given."""

    organisation: str | None
    domains: list[str]
    mailbox: str | None
    maildir: Path | None
    admins: list[str]
    security: list[str]
    support: str | None
    imap_host: str | None
    smtp_host: str | None
    tenant: str | None
    client_id: str | None
    out_folder: Path | None
    store: Path | None
    time_zone: str
    keep_days: int | None = None
    asks: bool = True

    @property
    def needs_server(self) -> bool:
        return self.maildir is None or self.out_folder is None


def complete(given: Given) -> Given:
    """Ask for what is missing; without questions take the defaults, or exit and name the missing flags."""
    _demand_flags(given)
    domains = given.domains or _several("Which domains do your people send from? (comma between them)")
    first = domains[0]
    asking = given.asks
    named = replace(
        given,
        domains=domains,
        organisation=given.organisation or _ask("What is your organization called?"),
        mailbox=given.mailbox or _answer(asking, "Which mailbox collects the bounces?", f"bounces@{first}"),
        admins=given.admins
        or _several("Who gets alerts and the daily digest?", f"postmaster@{first}", asking=asking),
        security=given.security
        or _several("Who hears of compromised accounts? (empty: the same)", "", asking=asking),
        support=_support(
            given.support
            or _ask("Whom may colleagues ask for help? (an address or a phone)", f"helpdesk@{first}")
        ),
    )
    signed = _sign_in(named) if named.needs_server else named
    return replace(signed, time_zone=_time_zone(signed), keep_days=_keep_days(signed))


def _demand_flags(given: Given) -> None:
    needed = {"--organisation": given.organisation, "--domain": given.domains, "--support": given.support}
    missing = [flag for flag, value in needed.items() if not value]
    if missing and not given.asks:
        _refuse(f"without questions these flags are needed: {', '.join(missing)}")


def _sign_in(given: Given) -> Given:
    """Complete servers and sign-in. Exits where they do not fit: Exchange Online takes only OAuth."""
    host = given.imap_host or _answer(given.asks, "Which IMAP server holds it?", EXCHANGE_ONLINE)
    at_exchange = is_exchange_online(host)
    smtp_host = given.smtp_host or (SUBMISSION if host == EXCHANGE_ONLINE else host)
    if given.tenant and not at_exchange:
        _refuse(f"{host} is not Exchange Online and takes no Entra tenant: leave out --tenant or --imap-host")
    if not at_exchange:
        return replace(given, imap_host=host, smtp_host=smtp_host)
    if not given.asks and not (given.tenant and given.client_id):
        _refuse(
            f"{host} takes no passwords over IMAP: add --tenant and --client-id, "
            "or name another server with --imap-host (docs/exchange-online.md)"
        )
    tenant = given.tenant or _ask("Entra tenant ID (docs/exchange-online.md)")
    client_id = given.client_id or _ask("Application (client) ID of the app registration")
    return replace(given, imap_host=host, smtp_host=smtp_host, tenant=tenant, client_id=client_id)


def _support(text: str) -> str:
    """Return whom to ask as emails say it after "Contact": a bare number says what it is."""
    return f"the help desk, phone {text}" if _PHONE.fullmatch(text) else text


def _time_zone(given: Given) -> str:
    """Return a time zone that this machine knows; it proposes its own."""
    name = given.time_zone or _answer(given.asks, "Your time zone?", _local_zone())
    while True:
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            if not given.asks:
                _refuse(f"{name!r} isn't a time zone; use a name such as Europe/Berlin")
            name = _ask(f"{name!r} isn't a time zone. Your time zone?", "Europe/Berlin")


def _keep_days(given: Given) -> int:
    """Return how many days bounces are kept; without questions, the default."""
    if given.keep_days is not None:
        return given.keep_days
    if not given.asks:
        return Retention().days
    question = f"How many days are bounces kept? ({MIN_RETENTION_DAYS} or more; 0: forever)"
    while True:
        days: int = typer.prompt(question, default=Retention().days, type=int, err=True)
        if days == 0 or days >= MIN_RETENTION_DAYS:
            return days


def _refuse(why: str) -> NoReturn:
    say(f"bounce-watch: {why}")
    raise typer.Exit(Exit.USAGE)


def _answer(asking: bool, question: str, default: str) -> str:
    return _ask(question, default) if asking else default


def _ask(question: str, default: str | None = None) -> str:
    return str(typer.prompt(question, default=default, show_default=bool(default), err=True)).strip()


def _several(question: str, default: str | None = None, *, asking: bool = True) -> list[str]:
    text = _ask(question, default) if asking or default is None else default
    return [word.strip() for word in text.split(",") if word.strip()]


def _local_zone() -> str:
    """Return the name of the machine's time zone, UTC if it is unknown."""
    link = Path("/etc/localtime")
    return str(link.resolve()).partition("zoneinfo/")[2] or "UTC"
