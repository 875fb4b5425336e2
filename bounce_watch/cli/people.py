"""`person` and `domain`: all about one colleague, or about one place that mail goes to."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bounce_watch.cli.choosing import AsJson
from bounce_watch.cli.completion import complete_domain, complete_sender

if TYPE_CHECKING:
    from bounce_watch.classify import Explanation
    from bounce_watch.model import Count, Incident
    from bounce_watch.store import BounceRow, Destination, Person

Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many lines of each list.")]


def register(app: typer.Typer) -> None:
    app.command()(person)
    app.command()(domain)


def person(
    context: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="A colleague's address.", autocompletion=complete_sender)
    ],
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Tell all about one colleague: what came back, what they were told, what to tell them now."""
    from bounce_watch.cli.opening import asking
    from bounce_watch.cli.output import emit_json, say
    from bounce_watch.cli.people_text import print_person

    with asking(context.obj) as store:
        found = store.person(address, limit)
    if as_json:
        emit_json(person_json(found))
    elif not (found.sent or found.missed or found.mails or found.withheld):
        say(f"Nothing is known of {address}: no mail of theirs came back, and none to them did.")
    else:
        print_person(found, _advice(context.obj, found.sent))


def domain(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A recipient's domain.", autocompletion=complete_domain),
    ],
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Tell all about one destination: what fails there and since when, whom it concerns, what it says."""
    from bounce_watch.cli.opening import asking
    from bounce_watch.cli.output import emit_json, say
    from bounce_watch.cli.people_text import print_domain

    with asking(context.obj) as store:
        found = store.at_domain(name, limit)
    if as_json:
        emit_json(domain_json(found))
    elif not found.bounces:
        say(f"No mail to {name} came back.")
    else:
        print_domain(found)


def person_json(found: "Person") -> dict[str, Any]:
    from bounce_watch.cli.answers import entry_json
    from bounce_watch.cli.history import row_json

    return {
        "address": found.address,
        "causes": _counts(found.causes),
        "sent": [row_json(row) for row in found.sent],
        "missed": [row_json(row) for row in found.missed],
        "told": [entry_json(mail) for mail in found.mails],
        "not_told": [{"at": row.at, "reason": row.reason, "cause": row.cause} for row in found.withheld],
        "incidents": _incidents(found.incidents),
    }


def domain_json(found: "Destination") -> dict[str, Any]:
    from bounce_watch.cli.history import row_json

    return {
        "domain": found.domain,
        "causes": _counts(found.causes),
        "codes": _counts(found.codes),
        "senders": _counts(found.senders),
        "bounces": [row_json(row) for row in found.bounces],
        "incidents": _incidents(found.incidents),
    }


def _counts(counts: "Iterable[Count]") -> dict[str, int]:
    return {count.label: count.now for count in counts}


def _incidents(incidents: "Iterable[Incident]") -> list[dict[str, Any]]:
    return [{"name": one.name, "title": one.finding.title, "state": one.state} for one in incidents]


def _advice(config: Any, rows: "Sequence[BounceRow]") -> "Explanation | None":
    """Return what the catalogue advises on the newest bounce, None for no bounce."""
    from bounce_watch.classify import explain
    from bounce_watch.config.load import load_config
    from bounce_watch.pipeline.context import read_catalogue

    if not rows:
        return None
    bounce = rows[0].bounce
    said = " ".join(filter(None, (bounce.reply_code, bounce.status, bounce.diagnostic_code)))
    meanings = explain(read_catalogue(load_config(config)), said) if said else ()
    return next((one for one in meanings if one.name == bounce.entry), None)
