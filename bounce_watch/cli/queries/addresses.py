"""`addresses --dead`: addresses that take no mail any more, with the evidence, for lists and contacts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.filters import AsCsv, AsJson, Since, read_word
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Column, emit, form_of, local
from bounce_watch.cli.common.when import read_moment
from bounce_watch.config.load import load_config
from bounce_watch.model.address import is_deliverable
from bounce_watch.model.dead_address import DeadAddress, Verdict
from bounce_watch.store.queries.dead_addresses import Proof

Row = dict[str, Any]
_SUGGESTIONS = {
    Verdict.GONE: "Remove it from lists; ask the person or company for a new address.",
    Verdict.DOMAIN_GONE: "Check the domain's spelling, then remove it; the company may have a new name.",
    Verdict.CLOSED: "Remove it from lists; the account is disabled.",
    Verdict.FULL: "Pause mailings to it; ask the person by phone whether it is still used.",
    Verdict.MOVED: "Replace it by the new address, once the person confirms it.",
}
_ADDRESS = re.compile(r"[\w.+'-]{1,64}@[\w.-]{1,190}\w")


class For(StrEnum):
    """Who uses the list: colleagues who clean up Outlook, or a program that keeps contacts."""

    OUTLOOK = "outlook"
    CRM = "crm"


def addresses(
    context: typer.Context,
    dead: Annotated[bool, typer.Option("--dead", help="Addresses that take no mail any more.")] = False,
    since: Since = None,
    use: Annotated[
        str | None,
        typer.Option("--for", help="outlook: a row per colleague. crm: a row to import per address."),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List dead addresses, with the evidence.

    Gone, domain gone, closed, full for long, or moved; sure or likely. What our own side, a policy or our
    reputation caused never counts, and a later delivery clears an address.
    """
    if not dead:
        raise typer.BadParameter("say which addresses: --dead", param_hint="--dead")
    wanted = read_word(For, use, "--for")
    accepted = load_config(context.obj).site.accepted_evidence
    with read_store(context.obj) as store:
        found = store.dead_addresses.find(accepted, read_moment(since))
        proofs = store.dead_addresses.proofs([one.newest for one in found])
    rows = [_row(one, proofs[one.newest]) for one in found]
    form = form_of(as_json, as_csv or (wanted is not None and not as_json))
    match wanted:
        case For.OUTLOOK:
            emit(_for_outlook(rows), [], form)
        case For.CRM:
            emit(map(_for_crm, rows), [], form)
        case _:
            emit(rows, _COLUMNS, form, empty="No dead addresses found.")


def _row(one: DeadAddress, proof: Proof) -> Row:
    return {
        "address": one.address,
        "verdict": one.verdict,
        "certainty": "sure" if one.is_sure else "likely",
        "messages": one.messages,
        "first_at": one.first_at,
        "last_at": one.last_at,
        "senders": one.senders,
        **asdict(proof),
        "bounce": one.newest,
        "new_address": _new_address(one, proof.said or ""),
        "suggestion": _SUGGESTIONS[one.verdict],
    }


def _new_address(one: DeadAddress, said: str) -> str | None:
    """Return the only other address that the server names for a person who moved."""
    named = {found.lower() for found in _ADDRESS.findall(said[:2_000])} - {one.address}
    new = named.pop() if one.verdict is Verdict.MOVED and len(named) == 1 else None
    return new if new and is_deliverable(new) else None


def _for_outlook(rows: list[Row]) -> Iterator[Row]:
    """Yield a row for each colleague and address: what to remove from suggestions and contacts."""
    pairs = sorted((sender, row["address"], row) for row in rows for sender in row["senders"])
    for sender, address, row in pairs:
        kept = {name: row[name] for name in ("verdict", "certainty", "last_at", "new_address", "suggestion")}
        yield {"colleague": sender, "address": address, **kept}


def _for_crm(row: Row) -> Row:
    """Return a row as programs import it: one per address, dates without a time."""
    return {
        "email": row["address"],
        "status": row["verdict"],
        "certainty": row["certainty"],
        "last_bounced": row["last_at"].date().isoformat(),
        "bounces": row["messages"],
        "code": row["code"],
        "new_email": row["new_address"],
    }


def _lines(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the evidence: code and server, its words, and who of ours still writes there."""
    said = f"{row['code'] or ''} {row['said_by'] or ''}".strip()
    more = len(row["senders"]) - 2
    writers = [f"from {sender}" for sender in row["senders"][:2]] + ([f"and {more} more"] if more > 0 else [])
    return tuple(filter(None, (said, (row["said"] or "")[:80], *writers)))


def _facts(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the address, what is wrong with it, how often it failed, and when."""
    failed = f"{row['messages']} message{'s' if row['messages'] > 1 else ''}"
    verdict = f"{row['verdict'].replace('_', ' ')}, {row['certainty']}: {failed}"
    moments = dict.fromkeys((local(row["first_at"]), local(row["last_at"])))
    return (row["address"], verdict, *moments)


_COLUMNS = [
    Column("address", "Address\nVerdict\nFirst, last", show=_facts),
    Column("said", "Evidence", show=_lines, flexible=True, truncate=True),
]
