"""`show`: the report of one bounce, why it was judged so, and what followed.

With --postmaster-draft: a mail to the recipient's admin, for our admin to read and send.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.classify import decision_in
from bounce_watch.cli.common.advice import advice_json, advice_lines, advice_on
from bounce_watch.cli.common.bounce_json import incident_json, row_json
from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import aligned, emit_json, local, picked, print_lines, print_prose, say
from bounce_watch.cli.common.words import cause_words, owner_words
from bounce_watch.config.load import load_config
from bounce_watch.model import Action, Bounce, Cause, Side
from bounce_watch.notifications.guidance.notes import Advice
from bounce_watch.notifications.guidance.postmaster_draft import DraftFacts, postmaster_draft
from bounce_watch.notifications.rendering.labels import CERTAINTIES, label_of
from bounce_watch.notifications.rendering.refusal_details import evidence_lines
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.store import BounceDetail, BounceRow

# Our servers report these, but because the remote servers did not respond.
_GAVE_UP = frozenset((Cause.MESSAGE_EXPIRED, Cause.NETWORK_ERROR, Cause.TLS_FAILURE))


def show(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="ID", help="The id that `history` shows.")],
    draft: Annotated[
        bool, typer.Option("--postmaster-draft", help="Write a mail to the recipient's mail admin instead.")
    ] = False,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Show all that was looked at for the trust level.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show everything about one bounce.

    The report, the verdict, and what was written about it.
    """
    with read_store(context.obj) as store:
        detail = store.history.show(number)
        advice = None if draft else advice_on(load_config(context.obj), store, detail)
    if draft:
        _write_draft(context.obj, detail)
    elif as_json:
        emit_json({**detail_json(detail), "advice": advice_json(advice)})
    else:
        print_prose([*_told(detail, advice), *as_lines(detail, evidence=evidence)])


def _told(detail: BounceDetail, advice: Advice | None) -> Iterator[str]:
    """Yield what to tell the colleague, and an empty line."""
    bounce = (detail.bounce or detail.bounces[0]).bounce
    if bounce.action is Action.DELAYED:
        until = bounce.details.retry_until if bounce.details else None
        yield f"Only delayed: the server is still trying{f', until {local(until)}' if until else ''}."
        yield "Tell the sender to wait and not to resend: a bounce will follow if it can't be delivered."
    elif bounce.action is not Action.FAILED:
        yield f"{cause_words({'action': bounce.action})}: this is a receipt, not a bounce."
    elif advice:
        yield f"What to tell {bounce.sender or 'the sender'}"
        yield from advice_lines(advice)
    else:
        return
    yield ""


def is_theirs(bounce: Bounce) -> bool:
    """Return whether the recipient's admin can change what failed, so that a draft to them makes sense."""
    return bounce.side is not Side.OURS or bounce.cause in _GAVE_UP


def detail_json(detail: BounceDetail) -> dict[str, Any]:
    report = detail.report.report
    bounce = detail.bounce.bounce if detail.bounce else None
    return {
        "bounce": row_json(detail.bounce) if detail.bounce else None,
        "why": bounce.why if bounce else None,
        "details": bounce.details.as_mapping() if bounce and bounce.details else {},
        "catalogue_entry": bounce.entry if bounce else None,
        "catalogue": bounce.catalogue if bounce else None,
        "first_verdict": detail.bounce.first_verdict if detail.bounce else None,
        "report": {
            "id": detail.report.id,
            "kind": report.kind,
            "format": report.format,
            "envelopes": report.envelopes,
            "forwarded_by": report.forwarded_by,
            "evidence": detail.report.evidence,
            "decided_by": decision_in(detail.report.tests),
            "tests": [list(test) for test in detail.report.tests],
            "reporting_mta": report.reporting_mta,
            "message_id": report.message_id,
            "copies": detail.report.copies,
        },
        "message": picked(detail.message, "mailbox uid received_at state sha256"),
        "others": [
            row_json(row) for row in detail.bounces if detail.bounce is None or row.id != detail.bounce.id
        ],
        "mails": [picked(mail, "id to=recipient subject state sent_at") for mail in detail.mails],
        "withheld": [{"to": row.recipient, "reason": row.reason, "at": row.at} for row in detail.withheld],
        "incidents": [incident_json(one) for one in detail.incidents],
    }


def as_lines(detail: BounceDetail, *, evidence: bool) -> list[str]:
    """Return aligned lines: what failed, who must act, how we know, what we did.

    With `evidence` all that was looked at for the trust level, else only what decided.
    """
    space = ("", "")
    pairs = [*_failure(detail), space, *_report(detail, evidence=evidence), space, *_after(detail)]
    return aligned([(label, str(text)) for label, text in pairs if text or not label])


def _failure(detail: BounceDetail) -> list[tuple[str, object]]:
    row = detail.bounce or detail.bounces[0]
    bounce = row.bounce
    words = {"action": bounce.action, "cause": bounce.cause, "owner": bounce.owner}
    refused_by = {"ours": "our own servers", "theirs": "the recipient's mail system"}
    return [
        ("Bounce", f"{row.id}, {local(bounce.occurred_at)}"),
        ("From", bounce.sender),
        ("To", bounce.recipient_decoded or bounce.recipient),
        ("Subject", row.subject),
        ("Code", " ".join(part for part in (bounce.reply_code, bounce.status) if part)),
        ("Inner code", " ".join(part for part in (bounce.remote_reply_code, bounce.remote_status) if part)),
        ("Server said", bounce.diagnostic_code),
        (
            "Cause",
            f"{cause_words(words)} ({bounce.persistence})"
            if bounce.action is Action.FAILED
            else cause_words(words),
        ),
        ("Certainty", CERTAINTIES[bounce.certainty] if bounce.certainty else None),
        ("Owner", owner_words(words)),
        ("Rejected by", refused_by.get(bounce.side or "", "not clear")),
        ("Why so", bounce.why),
        *(("", line) for line in evidence_lines(bounce.details)),
        ("Judged with", f"catalogue {bounce.catalogue}" if bounce.catalogue else None),
        ("At first", _at_first(row)),
    ]


def _at_first(row: BounceRow) -> str | None:
    """Return the first verdict of a bounce that was judged again."""
    first = row.first_verdict
    if first is None:
        return None
    cause, owner = first.get("cause", row.bounce.cause), first.get("owner", row.bounce.owner)
    by = first.get("catalogue", row.bounce.catalogue) or "an earlier version"
    return f"{cause}, {owner} must act (catalogue {by})"


def _report(detail: BounceDetail, *, evidence: bool) -> list[tuple[str, object]]:
    record, message = detail.report, detail.message
    return [
        ("Report", f"{record.report.kind}, read as {record.report.format}"),
        ("Came in", " in ".join(reversed(record.report.envelopes)) or "bare"),
        ("Forwarded by", record.report.forwarded_by),
        ("Written by", record.report.reporting_mta),
        ("Trust level", record.evidence),
        ("Decided by", decision_in(record.tests)),
        *(("", f"{name}: {outcome}") for name, outcome in record.tests if evidence),
        ("Lies in", f"{message.mailbox}, {message.uid} ({message.state})"),
        ("Copies", ", ".join(map(str, record.copies))),
    ]


def _after(detail: BounceDetail) -> list[tuple[str, object]]:
    told: list[tuple[str, object]] = [
        ("Reply", f"{mail.state}: {mail.subject} (to {mail.recipient})") for mail in detail.mails
    ]
    told += [
        ("No reply", f"{label_of(row.reason)} (to {row.recipient or 'no one'})") for row in detail.withheld
    ]
    told += [("Incident", f"{one.name} {one.finding.title} ({one.state})") for one in detail.incidents]
    return told or [("Reply", "none was due")]


def _write_draft(config_path: Path | None, detail: BounceDetail) -> None:
    """Print the draft about a bounce; exit with 1 when our own servers refused the message."""
    row = detail.bounce or detail.bounces[0]
    if not is_theirs(row.bounce):
        say("Our own servers rejected this message: the recipient's admin can't change that.")
        say(f"What to do: bounce-watch explain {row.bounce.code or ''}".rstrip())
        raise typer.Exit(Exit.FAILED)
    config, report = load_config(config_path), detail.report.report
    text = postmaster_draft(
        Templates(config.overrides.template_folders),
        config.profile,
        DraftFacts(
            bounce=row.bounce,
            sent_at=report.original.date,
            message_id=row.original_message_id,
            envelope_id=report.original_envelope_id,
            reporter=report.reporting_mta,
        ),
    )
    print_lines(text.splitlines())
