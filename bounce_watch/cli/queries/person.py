"""`person` and `domain`: all that the store holds about one colleague, or about one recipient domain."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from bounce_watch.cli.common.advice import advice_json, advice_lines, advice_on
from bounce_watch.cli.common.bounce_json import incident_json, row_json
from bounce_watch.cli.common.filters import AsJson, complete_domain, complete_sender
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import (
    Column,
    Form,
    console,
    emit,
    emit_json,
    local,
    print_prose,
    say,
    two_lines,
)
from bounce_watch.cli.common.words import cause_words, inside
from bounce_watch.cli.outbox import entry_json
from bounce_watch.cli.queries.names import did_you_mean, known_name, similar_names
from bounce_watch.cli.queries.show import is_theirs
from bounce_watch.config.load import load_config
from bounce_watch.model import Action, Cause, Count, Incident
from bounce_watch.notifications.guidance.notes import Advice
from bounce_watch.notifications.rendering.labels import CAUSES, label_of
from bounce_watch.notifications.rendering.safe_text import for_terminal
from bounce_watch.store import BounceDetail, BounceRow, By, Destination, OutboxEntry, Person, WithheldRow

_SENDER = Column(
    "sender",
    "Sender\nSubject",
    show=lambda row: (row["sender"] or "unknown", row["subject"] or ""),
    flexible=True,
    truncate=True,
)
_RECIPIENT = Column(
    "recipient",
    "Recipient\nSubject",
    show=lambda row: (row["recipient_decoded"] or row["recipient"], row["subject"] or ""),
    flexible=True,
    truncate=True,
)
_OUTCOMES = (
    ("that weren't delivered", {Action.FAILED}),
    ("that are delayed: the server is still trying", {Action.DELAYED}),
    ("that were delivered, as their receipts say", {Action.DELIVERED, Action.RELAYED, Action.EXPANDED}),
)
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many lines of each list.")]


def person(
    context: typer.Context,
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS", help="A colleague's address, or a part of it.", autocompletion=complete_sender
        ),
    ],
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Show one user's bounces and replies.

    What bounced, what they were told, and what to tell them now.
    """
    with read_store(context.obj) as store:
        found = store.people.person(address, limit)
        if not _is_known(found):
            found = store.people.person(known_name(store, By.SENDER, address), limit)
        failed = next((row for row in found.sent if row.bounce.action is Action.FAILED), None)
        newest = store.history.show(failed.id) if failed else None
        advice = advice_on(load_config(context.obj), store, newest) if newest else None
        near = [] if _is_known(found) else similar_names(store, By.SENDER, address)
    if as_json:
        emit_json({**_person_json(found), "advice": advice_json(advice)})
    elif not _is_known(found):
        say(
            f"Nothing is known of {address}: no message of theirs bounced, and none to them did. "
            "If they miss one, look in Drafts and Outbox first: a message that never left can't bounce."
            + did_you_mean(near)
        )
    else:
        _print_person(found, advice, newest)


def domain(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A recipient's domain, or a part of it.", autocompletion=complete_domain
        ),
    ],
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Show what fails at one recipient domain.

    What fails and since when, whom it concerns, and what the server says.
    """
    with read_store(context.obj) as store:
        found = store.people.domain(known_name(store, By.DOMAIN, name), limit)
        exists = any(count.label != Cause.DOMAIN_NOT_FOUND for count in found.causes)
        near = [] if exists else similar_names(store, By.DOMAIN, name)
    if as_json:
        emit_json(_domain_json(found))
    elif not found.bounces:
        say(f"No message to {name} bounced.{did_you_mean(near)}")
    else:
        _print_domain(found, near)


def _is_known(found: Person) -> bool:
    return bool(found.sent or found.missed or found.mails or found.withheld)


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


def _print_person(found: Person, advice: Advice | None, newest: BounceDetail | None) -> None:
    _headline(found.address, _summary(found.causes, "message of theirs", "messages of theirs"))
    if advice and newest and newest.bounce:
        bounce = newest.bounce.bounce
        about = f"{inside(CAUSES[bounce.cause])}, {bounce.recipient_decoded or bounce.recipient}"
        _listed(f"What to tell them about the newest one ({about})", list(advice_lines(advice)))
    _listed_incidents(found.incidents)
    for whose, rows, other in (("of theirs", found.sent, _RECIPIENT), ("to them", found.missed, _SENDER)):
        for title, actions in _OUTCOMES:
            _bounces(
                f"Messages {whose} {title}", [row for row in rows if row.bounce.action in actions], other
            )
    _listed("What we wrote to them", [_told(mail) for mail in found.mails])
    _listed("What we did not write, and why", _not_told(found.withheld))


def _print_domain(found: Destination, near: list[str]) -> None:
    _headline(
        found.domain,
        _summary(found.causes, "message there", "messages there")
        + (f".{did_you_mean(near)}" if near else ""),
    )
    _listed_incidents(found.incidents)
    _listed("Senders", [f"{count.now:>5}  {count.label}" for count in found.senders])
    _listed("Codes", [f"{count.now:>5}  {count.label}" for count in found.codes])
    failed = [row for row in found.bounces if row.bounce.action is Action.FAILED]
    said = {row.bounce.diagnostic_code: row for row in reversed(failed) if row.bounce.diagnostic_code}
    lines = [f"{local(row.bounce.occurred_at)}  {text}" for text, row in reversed(said.items())]
    _listed("What its servers said", lines[:5])
    for title, actions in _OUTCOMES:
        _bounces(
            f"Messages {title}", [row for row in found.bounces if row.bounce.action in actions], _RECIPIENT
        )
    theirs = [row.id for row in failed if is_theirs(row.bounce)]
    drafts = [f"bounce-watch show {number} --postmaster-draft" for number in theirs[:1]]
    _listed("To write to their mail admin", drafts)


def _summary(counts: Sequence[Count], one: str, many: str) -> str:
    total = sum(count.now for count in counts)
    if not total:
        return f"no {one} failed for good"
    causes = ", ".join(f"{inside(label_of(count.label))} ({count.now})" for count in counts[:4])
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


def _listed_incidents(incidents: Sequence[Incident]) -> None:
    _listed("Incidents", [f"{one.name:<8} {one.state:<13} {one.finding.title}" for one in incidents])


def _headline(name: str, text: str) -> None:
    console().print(Text.assemble((for_terminal(name), "bold"), f": {for_terminal(text)}"))


def _listed(title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    sys.stdout.write("\n")
    console().print(Text(title, style="bold"))
    print_prose(f"  {line}" for line in lines)


def _bounces(title: str, rows: Sequence[BounceRow], other: Column) -> None:
    if not rows:
        return
    columns = [
        Column("id", "Id", right=True),
        Column("occurred_at", "When", show=lambda row: two_lines(row["occurred_at"])),
        other,
        Column("status", "Code", show=lambda row: row["status"] or row["reply_code"] or ""),
        Column("cause", "Cause", show=cause_words),
    ]
    sys.stdout.write("\n")
    emit(map(row_json, rows), columns, Form.TABLE, title=title)
