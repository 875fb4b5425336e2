"""`person` and `domain`: all that the store holds about one colleague, or about one recipient domain."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.padding import Padding
from rich.text import Text

from bounce_watch.cli.common.advice import advice_json, advice_lines, advice_on
from bounce_watch.cli.common.bounce_json import incident_json, row_json
from bounce_watch.cli.common.filters import AsJson, complete_domain, complete_sender
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Column, Form, console, emit, emit_json, local, say
from bounce_watch.cli.outbox import entry_json
from bounce_watch.config.load import load_config
from bounce_watch.model import Count, Incident
from bounce_watch.notifications.guidance.notes import Advice
from bounce_watch.notifications.rendering.labels import CAUSES, label_of
from bounce_watch.notifications.rendering.safe_text import for_terminal
from bounce_watch.store import BounceRow, Destination, OutboxEntry, Person, WithheldRow

_SENDER = Column("sender", "Sender", flexible=True, truncate=True)
_RECIPIENT = Column(
    "recipient",
    "Recipient",
    show=lambda row: row["recipient_decoded"] or row["recipient"],
    flexible=True,
    truncate=True,
)
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many lines of each list.")]


def person(
    context: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="A colleague's address.", autocompletion=complete_sender)
    ],
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Show one user's bounces and replies.

    What bounced, what they were told, and what to tell them now.
    """
    with read_store(context.obj) as store:
        found = store.people.person(address, limit)
        newest = store.history.show(found.sent[0].id) if found.sent else None
        advice = advice_on(load_config(context.obj), store, newest) if newest else None
    if as_json:
        emit_json({**_person_json(found), "advice": advice_json(advice)})
    elif not (found.sent or found.missed or found.mails or found.withheld):
        say(
            f"Nothing is known of {address}: no message of theirs bounced, and none to them did. "
            "If they miss one, look in Drafts and Outbox first: a message that never left can't bounce."
        )
    else:
        _print_person(found, advice)


def domain(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A recipient's domain.", autocompletion=complete_domain),
    ],
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Show what fails at one recipient domain.

    What fails and since when, whom it concerns, and what the server says.
    """
    with read_store(context.obj) as store:
        found = store.people.domain(name, limit)
    if as_json:
        emit_json(_domain_json(found))
    elif not found.bounces:
        say(f"No mail to {name} came back.")
    else:
        _print_domain(found)


def _person_json(found: Person) -> dict[str, Any]:
    return {
        "address": found.address,
        "causes": _counts(found.causes),
        "sent": [row_json(row) for row in found.sent],
        "missed": [row_json(row) for row in found.missed],
        "told": [entry_json(mail) for mail in found.mails],
        "not_told": [{"at": row.at, "reason": row.reason, "cause": row.cause} for row in found.withheld],
        "incidents": [incident_json(one) for one in found.incidents],
    }


def _domain_json(found: Destination) -> dict[str, Any]:
    return {
        "domain": found.domain,
        "causes": _counts(found.causes),
        "codes": _counts(found.codes),
        "senders": _counts(found.senders),
        "bounces": [row_json(row) for row in found.bounces],
        "incidents": [incident_json(one) for one in found.incidents],
    }


def _counts(counts: Iterable[Count]) -> dict[str, int]:
    return {count.label: count.now for count in counts}


def _print_person(found: Person, advice: Advice | None) -> None:
    """Print all about a colleague, and what to tell them about the newest bounce."""
    _headline(found.address, _summary(found.causes, "mail of theirs", "mails of theirs"))
    if advice:
        newest = found.sent[0].bounce
        title = (
            f"What to tell them about the newest one ({_inside(CAUSES[newest.cause])}, {newest.recipient})"
        )
        _listed(title, list(advice_lines(advice)))
    _listed_incidents(found.incidents)
    _bounces("Mail of theirs that came back", found.sent, _RECIPIENT)
    _bounces("Mail to them that came back", found.missed, _SENDER)
    _listed("What we wrote to them", [_told(mail) for mail in found.mails])
    _listed("What we did not write, and why", _not_told(found.withheld))


def _print_domain(found: Destination) -> None:
    """Print all about a recipient's domain, and how to write to its mail admin."""
    _headline(found.domain, _summary(found.causes, "mail there", "mails there"))
    _listed_incidents(found.incidents)
    _listed("Whom it concerns", [f"{count.now:>5}  {count.label}" for count in found.senders])
    _listed("Codes", [f"{count.now:>5}  {count.label}" for count in found.codes])
    said = {row.bounce.diagnostic_code: row for row in reversed(found.bounces) if row.bounce.diagnostic_code}
    lines = [f"{local(row.bounce.occurred_at)}  {text}" for text, row in reversed(said.items())]
    _listed("What its servers said", lines[:5])
    _bounces("Mail that came back", found.bounces, _RECIPIENT)
    number = found.bounces[0].id
    _listed("To write to their mail admin", [f"bounce-watch show {number} --postmaster-draft"])


def _summary(counts: Sequence[Count], one: str, many: str) -> str:
    total = sum(count.now for count in counts)
    if not total:
        return f"no {one} failed for good"
    causes = ", ".join(f"{_inside(label_of(count.label))} ({count.now})" for count in counts[:4])
    return f"{total} {one if total == 1 else many} failed: {causes}"


def _told(mail: OutboxEntry) -> str:
    return f"{local(mail.sent_at or mail.created_at)}  {mail.state:<8} {mail.subject} (outbox show {mail.id})"


def _not_told(rows: Sequence[WithheldRow]) -> list[str]:
    """Return a line per reason: how often, and when last."""
    reasons = Counter(row.reason for row in rows)
    newest = {row.reason: row.at for row in reversed(rows)}
    return [
        f"{local(newest[reason])}  {label_of(reason)}" + (f" ({count} times)" if count > 1 else "")
        for reason, count in reasons.items()
    ]


def _inside(label: str) -> str:
    """Return a label as it is written inside a sentence: SPF stays SPF."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _listed_incidents(incidents: Sequence[Incident]) -> None:
    _listed("Incidents", [f"{one.name:<8} {one.state:<13} {one.finding.title}" for one in incidents])


def _headline(name: str, text: str) -> None:
    console().print(Text.assemble((for_terminal(name), "bold"), f": {for_terminal(text)}"))


def _listed(title: str, lines: Sequence[str]) -> None:
    """Print a heading and its lines, nothing when there are no lines."""
    if not lines:
        return
    sys.stdout.write("\n")
    console().print(Text(title, style="bold"))
    for line in lines:
        console().print(Padding(Text(for_terminal(line)), (0, 0, 0, 2)))


def _bounces(title: str, rows: Sequence[BounceRow], other: Column) -> None:
    if not rows:
        return
    columns = [
        Column("id", "Id", right=True),
        Column("occurred_at", "When"),
        other,
        Column("status", "Code", show=lambda row: row["status"] or row["reply_code"] or ""),
        Column("cause", "Cause"),
    ]
    sys.stdout.write("\n")
    emit(map(row_json, rows), columns, Form.TABLE, title=title)
