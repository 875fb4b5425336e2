"""A colleague or a destination as a person reads it: the short of it first, then the lists behind it."""

import sys
from collections import Counter
from collections.abc import Sequence

from rich.padding import Padding
from rich.text import Text

from bounce_watch.classify import Explanation
from bounce_watch.cli.output import Column, Form, console, emit, local
from bounce_watch.model import Count, Incident
from bounce_watch.notifications.rendering.labels import CAUSES, label_of
from bounce_watch.notifications.rendering.safe_text import for_terminal
from bounce_watch.store import BounceRow, Destination, OutboxEntry, Person, WithheldRow


def print_person(found: Person, advice: Explanation | None) -> None:
    """Print all about a colleague, and what to tell them about the newest bounce."""
    _headline(found.address, _summary(found.causes, "mail of theirs", "mails of theirs"))
    if advice and advice.sender_steps:
        newest = found.sent[0].bounce
        title = (
            f"What to tell them about the newest one ({_inside(CAUSES[newest.cause])}, {newest.recipient})"
        )
        _listed(title, [f"{number}. {step}" for number, step in enumerate(advice.sender_steps, 1)])
    _listed_incidents(found.incidents)
    _bounces("Mail of theirs that came back", found.sent, to=True)
    _bounces("Mail to them that came back", found.missed, to=False)
    _listed("What we wrote to them", [_told(mail) for mail in found.mails])
    _listed("What we did not write, and why", _not_told(found.withheld))


def print_domain(found: Destination) -> None:
    """Print all about a recipient's domain, and how to write to its mail admin."""
    _headline(found.domain, _summary(found.causes, "mail there", "mails there"))
    _listed_incidents(found.incidents)
    _listed("Whom it concerns", [f"{count.now:>5}  {count.label}" for count in found.senders])
    _listed("Codes", [f"{count.now:>5}  {count.label}" for count in found.codes])
    said = {row.bounce.diagnostic_code: row for row in reversed(found.bounces) if row.bounce.diagnostic_code}
    lines = [f"{local(row.bounce.occurred_at)}  {text}" for text, row in reversed(said.items())]
    _listed("What its servers said", lines[:5])
    _bounces("Mail that came back", found.bounces, to=True)
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
    """Return one line a reason: how often, and when last."""
    reasons = Counter(row.reason for row in rows)
    newest = {row.reason: row.at for row in reversed(rows)}
    return [
        f"{local(newest[reason])}  {label_of(reason)}" + (f" ({count} times)" if count > 1 else "")
        for reason, count in reasons.items()
    ]


def _inside(label: str) -> str:
    """Return a label as it stands inside a sentence: SPF stays SPF."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _listed_incidents(incidents: Sequence[Incident]) -> None:
    _listed("Incidents", [f"{one.name:<8} {one.state:<13} {one.finding.title}" for one in incidents])


def _headline(name: str, text: str) -> None:
    console().print(Text.assemble((for_terminal(name), "bold"), f": {for_terminal(text)}"))


def _listed(title: str, lines: Sequence[str]) -> None:
    """Print a heading and its lines; nothing without lines."""

    if not lines:
        return
    sys.stdout.write("\n")
    console().print(Text(title, style="bold"))
    for line in lines:
        console().print(Padding(Text(for_terminal(line)), (0, 0, 0, 2)))


def _bounces(title: str, rows: Sequence[BounceRow], *, to: bool) -> None:
    if not rows:
        return
    other = "Recipient" if to else "Sender"
    columns = [
        Column(key="id", title="Id", right=True),
        Column(key="when", title="When"),
        Column(key="other", title=other, gives_way=True, cut=True),
        Column(key="code", title="Code"),
        Column(key="cause", title="Cause"),
    ]
    lines = [
        {
            "id": row.id,
            "when": local(row.bounce.occurred_at),
            "other": (row.bounce.recipient_decoded or row.bounce.recipient) if to else row.bounce.sender,
            "code": row.bounce.status or row.bounce.reply_code or "",
            "cause": row.bounce.cause,
        }
        for row in rows
    ]
    sys.stdout.write("\n")
    emit(lines, columns, Form.TABLE, title=title)
