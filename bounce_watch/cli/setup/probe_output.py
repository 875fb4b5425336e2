"""Describe what came back from a probe, as lines of `check`."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bounce_watch.model import Kind, Signature
from bounce_watch.model.check import Check
from bounce_watch.notifications.alert.steps import fill
from bounce_watch.notifications.gate.values import SENTENCES, Mode
from bounce_watch.pipeline import Context
from bounce_watch.pipeline.probe import CameBack, ProbeMail, withheld_from_colleague

_ENVELOPES = {
    "attached": "attached to another mail",
    "inline": "in the text of another mail",
    "journal": "in a journal report",
    "redirect": "redirected",
}
_SIGNATURES = {
    Signature.VALID: Check("signature", "ok", "your DKIM signature on the mail holds: you sent it"),
    Signature.ABSENT: Check("signature", "ok", "the report returns no DKIM signature of your domains"),
    Signature.INVALID: Check(
        "signature",
        "warning",
        "your DKIM signature on the mail does not hold",
        "the mail was changed on its way, or the key is no longer in the DNS: compare its selector there",
    ),
    Signature.UNKNOWN: Check(
        "signature",
        "warning",
        "your DKIM signature on the mail could not be checked",
        "no name server answered; see whether this machine may ask the DNS",
    ),
    Signature.NOT_CHECKED: Check(
        "signature", "ok", "not looked at: pip install 'bounce-watch[dkim]' adds what it takes"
    ),
}
_HELD = "answered; the answer is held until you release it (reply.mode is preview)"


def about(work: Context, sent: ProbeMail, came: CameBack) -> Iterator[Check]:
    report = came.report
    yield Check(
        "came back",
        "ok" if report.kind is Kind.FAILURE else "warning",
        text=f"{_when(sent, came)} as {report.kind}, {_how(report.envelopes)}, {came.size} bytes",
        repair="" if report.kind is Kind.FAILURE else "wait longer: this is not the end of it",
    )
    yield Check("read as", "ok", _meaning(came))
    yield _evidence(work, came)
    yield _original(sent, came)
    yield _signature(work, came)
    yield _answer(work, came)


def _when(sent: ProbeMail, came: CameBack) -> str:
    seen = _seconds(came.seen_at, sent)
    arrived = _seconds(came.received_at, sent) if came.received_at else seen
    return f"after {arrived} s" if arrived >= seen else f"after {arrived} s (seen after {seen} s)"


def _seconds(moment: datetime, sent: ProbeMail) -> int:
    # Mail servers note whole seconds, by a clock of their own.
    return max(0, round((moment - sent.started_at).total_seconds()))


def _how(envelopes: tuple[str, ...]) -> str:
    return " ".join(_ENVELOPES.get(name, name) for name in envelopes) or "bare"


def _meaning(came: CameBack) -> str:
    lines = [
        f"{bounce.status or bounce.reply_code or 'no code'} for {bounce.recipient}: {bounce.cause}, "
        f"{bounce.owner} must act"
        for bounce in came.bounces
    ]
    return f"{came.report.format}; {'; '.join(lines) or 'it names no recipient'}"


def _evidence(work: Context, came: CameBack) -> Check:
    tier = came.assessed.evidence
    text = f"{tier}: {came.assessed.decided}"
    if tier in work.site.accepted_evidence:
        return Check("evidence", "ok", text)
    repair = (
        "look for the way by which Exchange's mark reaches this mailbox: see trust.authority, and "
        "bounce-watch calibrate, which looks at all reports"
    )
    return Check("evidence", "warning", text, repair)


def _original(sent: ProbeMail, came: CameBack) -> Check:
    original = came.report.original
    if sent.bw_id is not None and came.has_our_mark:
        return Check("original mail", "ok", "it returns the mark of our mail: no loop is possible")
    if original.sender and (sent.bw_id is None or original.message_id):
        return Check("original mail", "ok", f"it names the sender, {original.sender}")
    repair = "its sender gets no reply; check that your way of copying reports keeps them whole"
    text = "it returns neither our mark nor the sender of the mail"
    return Check("original mail", "warning", text, repair)


def _signature(work: Context, came: CameBack) -> Check:
    check = _SIGNATURES[came.signature]
    if came.signature is Signature.VALID and work.signatures is None:
        return check._replace(text=f"{check.text}; dkim = true in [trust] would count that")
    return check


def _answer(work: Context, came: CameBack) -> Check:
    reasons = withheld_from_colleague(work, came)
    if not reasons:
        told = _HELD if work.policy.mode is Mode.PREVIEW else "answered"
        return Check("answer", "ok", f"a colleague with such a bounce would be {told}")
    why = " ".join(SENTENCES[reason] for reason in reasons)
    return Check("answer", "warning", f"a colleague with such a bounce would hear nothing: {why}")


def nothing_came(work: Context, sent: ProbeMail, wait: timedelta) -> Check:
    """Say that the time is over, and where to look."""
    values = {"to": sent.to} | ({"sender": work.sender[1]} if sent.bw_id else {})
    return Check(
        "came back",
        "failure",
        text=f"nothing about {sent.to} within {wait} in the watched mailbox",
        repair="find the mail in the message trace; when it failed there, look at the way by which "
        "reports reach the watched mailbox",
        commands=(fill("Get-MessageTraceV2 -SenderAddress <sender> -RecipientAddress <to>", values),),
    )
