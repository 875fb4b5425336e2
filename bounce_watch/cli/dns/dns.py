"""`dns`: what DNS says about a domain, what to publish, and what a new SPF record would do."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Column, emit, form_of, picked, say, two_lines
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.dns.evaluate import VERSION, evaluate
from bounce_watch.dns.questions import Ask, Known, answers, is_ours
from bounce_watch.dns.resolver import Resolver
from bounce_watch.dns.spf import ask_spf, exchange_addresses
from bounce_watch.model.address import a_label, is_host_name
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question
from bounce_watch.store import StoreMissing

SEEN = timedelta(days=90)
MOST_SEEN = 100


class AskByDefault(TyperGroup):
    """Reads `dns DOMAIN` as `dns ask DOMAIN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help", "-h"):
            args = ["ask", *args]
        return super().parse_args(ctx, args)


dns = typer.Typer(cls=AskByDefault, help="Ask DNS about a domain, and what to publish.", no_args_is_help=True)

Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="A domain, such as contoso.example.")]


@dns.command()
def ask(
    context: typer.Context,
    domain: Domain,
    ip: Annotated[
        str | None, typer.Option("--ip", metavar="IP", help="An address of yours that sends for it.")
    ] = None,
    selector: Annotated[
        str | None, typer.Option("--selector", metavar="S", help="The DKIM selector to ask for.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask DNS about a domain: SPF, DKIM, DMARC, MX, TLS policies; with --ip the address too.

    `bounce-watch dns DOMAIN` does the same.
    """
    config, name = load_config(context.obj), _domain(domain)
    found = list(_ask_all(context.obj, config, name, _address(ip), selector))
    emit(map(finding_json, found), _COLUMNS, form_of(as_json))
    if all(one.verdict is DnsVerdict.UNASKED for one in found):
        raise typer.Exit(Exit.UNAVAILABLE)


@dns.command("try")
def try_record(
    context: typer.Context,
    record: Annotated[str, typer.Argument(metavar="RECORD", help='The new record: "v=spf1 ... -all".')],
    domain: Annotated[str, typer.Option("--domain", metavar="D", help="The domain that would publish it.")],
    as_json: AsJson = False,
) -> None:
    """Try an SPF record before you publish it: which sending addresses pass, before and after."""
    if not VERSION.match(record):
        raise typer.BadParameter("an SPF record begins with v=spf1", param_hint="RECORD")
    config, name = load_config(context.obj), _domain(domain)
    names = _resolver(config)
    addresses = _seen(context.obj, name)
    if is_ours(name, config.organisation.accepted_domains):
        addresses = (*addresses, *exchange_addresses(names, name))
    rows = []
    for address in dict.fromkeys(addresses):
        before, after = evaluate(names, name, address), evaluate(names, name, address, record)
        decided = after.term or after.reason
        rows.append(
            {"address": address, "before": before.verdict, "after": after.verdict, "decided_by": decided}
        )
    columns = (
        Column("address", "Address"),
        Column("before", "Before"),
        Column("after", "After"),
        Column("decided_by", "Decided by", flexible=True),
    )
    emit(rows, columns, form_of(as_json), empty="No bounce names an address that sends for this domain.")
    judged = ask_spf(names, name, datetime.now(UTC), addresses=(), by_exchange=False, record=record)
    say(f"The record: {judged.why}")
    if judged.verdict is not DnsVerdict.OK or any(row["after"] != "pass" for row in rows):
        raise typer.Exit(Exit.FAILED)


@dns.command()
def history(context: typer.Context, domain: Domain, as_json: AsJson = False) -> None:
    """List what DNS said about a domain or address, oldest first."""
    with read_store(context.obj) as store:
        found = store.dns.history([a_label(domain.rstrip("."))])
    rows = ({"first_at": one.first_at, **finding_json(one)} for one in found)
    emit(rows, (_FIRST, *_COLUMNS), form_of(as_json), empty="DNS was not asked about it yet.")


def finding_json(finding: DnsFinding) -> dict[str, Any]:
    """Return a finding as the object that `--json` prints."""
    return picked(finding, "question name verdict record why publish asked_at")


def _lines(row: Mapping[str, Any]) -> tuple[str, ...]:
    record = f"found: {row['record']}" if row["record"] else ""
    publish = f"publish: {row['publish']}" if row["publish"] else ""
    return tuple(filter(None, (row["name"], row["why"], record, publish)))


_FIRST = Column("first_at", "Since", show=lambda row: two_lines(row["first_at"]))
_COLUMNS = (
    Column("question", "Question"),
    Column("verdict", "Verdict"),
    Column("why", "Name, reason, record", show=_lines, flexible=True),
)


def _ask_all(
    path: Path | None, config: Config, domain: str, address: str | None, selector: str | None
) -> Iterator[DnsFinding]:
    questions = tuple(one for one in Question if address or one not in (Question.PTR, Question.BLOCKLIST))
    known = Known(
        selectors=config.dns.dkim_selectors,
        blocklists=config.dns.blocklists,
        ours=(address,) if address else (),
        seen=_seen(path, domain),
        by_exchange=is_ours(domain, config.organisation.accepted_domains),
    )
    asked = Ask(questions=questions, subject=domain, address=address, selector=selector)
    yield from answers(_resolver(config), asked, known, datetime.now(UTC))


def _resolver(config: Config) -> Resolver:
    return Resolver(config.dns.servers, config.dns.seconds * len(Question))


def _seen(path: Path | None, domain: str) -> tuple[str, ...]:
    """Return the addresses that bounces name, none without a store."""
    try:
        with read_store(path) as store:
            return store.dns.addresses_of(domain, datetime.now(UTC) - SEEN)[:MOST_SEEN]
    except StoreMissing:
        return ()


def _domain(text: str) -> str:
    name = a_label(text.rstrip("."))
    if not is_host_name(name):
        raise typer.BadParameter("write a domain such as contoso.example", param_hint="DOMAIN")
    return name


def _address(text: str | None) -> str | None:
    try:
        return None if text is None else str(ip_address(text))
    except ValueError:
        raise typer.BadParameter("write an IP address such as 192.0.2.1", param_hint="--ip") from None
