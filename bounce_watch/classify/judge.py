"""Turn a report into bounces: one for each recipient, with cause, owner, side, persistence and evidence."""

from dataclasses import replace
from typing import NamedTuple

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.cause import ServerReply, Verdict, decide
from bounce_watch.classify.evidence import EvidenceResult, assess_evidence
from bounce_watch.classify.refusal_details import find_details
from bounce_watch.classify.side import is_exchange_reply, is_microsoft_host, side_of
from bounce_watch.model import (
    Action,
    Bounce,
    Cause,
    Certainty,
    Evidence,
    Kind,
    Owner,
    Persistence,
    RecipientFields,
    Report,
    Side,
    Site,
)
from bounce_watch.model.address import normalise
from bounce_watch.model.exchange_address import decode_imceaex
from bounce_watch.parse.smtp_reply import RecipientReplies, replies_of

_CLASSES = {"4": Persistence.TEMPORARY, "5": Persistence.PERMANENT}
# A complaint is about a mail that arrived.
_ACTIONS = {
    Kind.DELAY: Action.DELAYED,
    Kind.SUCCESS: Action.DELIVERED,
    Kind.FEEDBACK: Action.DELIVERED,
}
_NOT_DELIVERED = (Action.FAILED, Action.DELAYED)
_MUST_WAIT = {Owner.SENDER, Owner.RECIPIENT_ADMIN, Owner.PROVIDER}


_NO_REPORT = Report(kind=Kind.FAILURE, format="reply")


class Judgement(NamedTuple):
    """What was decided about one recipient or one reply. `entry` names the catalogue row, None for no row."""

    cause: Cause
    owner: Owner
    certainty: Certainty | None
    entry: str | None
    why: str


class JudgedReply(NamedTuple):
    """The judgement of one reply that no report surrounds."""

    judgement: Judgement
    side: Side | None
    persistence: Persistence


def judge(
    report: Report, catalogue: Catalogue, site: Site | None, assessed: EvidenceResult | None = None
) -> tuple[Bounce, ...]:
    """Return one bounce for each recipient entry that has an address, whatever its action.

    Without a site the evidence is None and the side is read from the report alone. `assessed` is the
    result of `assess_evidence`, None to call it. Never raises.
    """
    assessed = assessed or (assess_evidence(report, site) if site else None)
    evidence = assessed.evidence if assessed else None
    named = (fields for fields in report.recipients if fields.final_recipient or fields.original_recipient)
    return tuple(_bounce(report, fields, catalogue, site, evidence) for fields in named)


def judge_reply(
    text: str, catalogue: Catalogue, side: Side | None = None, remote_mta: str | None = None
) -> JudgedReply:
    """Judge a reply as it stands in a log or a trace. Never raises.

    Without a side it is theirs if it quotes another server; without any server named, Exchange Online spoke.
    """
    fields = RecipientFields(final_recipient=None, diagnostic_code=text, remote_mta=remote_mta)
    replies = replies_of(fields)
    side = side or side_of(_NO_REPORT, fields, None)
    by_exchange = remote_mta is None and side is not Side.THEIRS
    by_exchange = by_exchange or _is_by_exchange(fields)
    verdict = _decide(replies, catalogue, side, by_exchange=by_exchange, host=remote_mta)
    persistence = persistence_of(None, replies.outer.reply_code, replies.outer.status)
    return JudgedReply(_judgement(verdict, side, Action.FAILED), side, persistence)


def _bounce(
    report: Report,
    fields: RecipientFields,
    catalogue: Catalogue,
    site: Site | None,
    evidence: Evidence | None,
) -> Bounce:
    recipient = fields.final_recipient or fields.original_recipient or ""
    original = fields.original_recipient
    stated = fields.action or _ACTIONS.get(report.kind)
    action = stated or Action.FAILED
    side = side_of(report, fields, site)
    replies = replies_of(fields)
    outer, inner = replies.outer, replies.inner
    verdict = _verdict(replies, fields, report, catalogue, side) if action in _NOT_DELIVERED else None
    found = _judgement(verdict, side, action)
    return Bounce(
        recipient=normalise(recipient),
        original_recipient=normalise(original) if original else None,
        recipient_decoded=decode_imceaex(recipient),
        sender=normalise(report.original.sender) if report.original.sender else None,
        action=action,
        status=outer.status,
        reply_code=outer.reply_code,
        cause=found.cause,
        persistence=persistence_of(stated, outer.reply_code, outer.status),
        owner=found.owner,
        side=side,
        evidence=evidence,
        remote_mta=fields.remote_mta,
        diagnostic_code=fields.diagnostic_code,
        remote_status=inner.status if inner else None,
        remote_reply_code=inner.reply_code if inner else None,
        entry=found.entry,
        why=found.why,
        certainty=found.certainty,
        occurred_at=report.date or report.arrival_date or report.original.date,
        details=find_details(fields.diagnostic_code, found.cause, fields.will_retry_until),
        catalogue=catalogue.version,
    )


def judge_again(bounce: Bounce, report: Report, catalogue: Catalogue) -> Bounce:
    """Return a stored bounce as this catalogue judges its words, its codes and the server that spoke.

    Of the report only `reporting_mta` and `format` are needed. Who refused, and what the report proves, stay.
    """
    fields = RecipientFields(
        final_recipient=bounce.recipient,
        status=bounce.status,
        reply_code=bounce.reply_code,
        remote_mta=bounce.remote_mta,
        diagnostic_code=bounce.diagnostic_code,
        remote_status=bounce.remote_status,
        remote_reply_code=bounce.remote_reply_code,
    )
    verdict = _verdict(replies_of(fields), fields, report, catalogue, bounce.side)
    found = _judgement(verdict, bounce.side, bounce.action)
    retry_until = bounce.details.retry_until if bounce.details else None
    return replace(
        bounce,
        **found._asdict(),
        details=find_details(bounce.diagnostic_code, found.cause, retry_until),
        catalogue=catalogue.version,
    )


def _verdict(
    replies: RecipientReplies,
    fields: RecipientFields,
    report: Report,
    catalogue: Catalogue,
    side: Side | None,
) -> Verdict | None:
    by_exchange = _is_by_exchange(fields, report)
    return _decide(replies, catalogue, side, by_exchange=by_exchange, host=fields.remote_mta)


def persistence_of(action: Action | None, reply_code: str | None, status: str | None) -> Persistence:
    """Return whether the same mail could still succeed; unknown rather than a guess.

    The action decides, then the reply code, then the class of the status (RFC 3464 section 2.3.3, RFC 3463
    section 2). A 4.x.x with `Action: failed` is final: after `550 4.4.7 QUEUE.Expired` no server tries again.
    """
    match action:
        case Action.FAILED:
            return Persistence.PERMANENT
        case Action.DELAYED:
            return Persistence.TEMPORARY
        case Action.DELIVERED | Action.RELAYED | Action.EXPANDED:
            return Persistence.UNKNOWN
        case None:
            code = reply_code or status or ""
            return _CLASSES.get(code[:1], Persistence.UNKNOWN)


def _decide(
    replies: RecipientReplies, catalogue: Catalogue, side: Side | None, *, by_exchange: bool, host: str | None
) -> Verdict | None:
    inner = None
    if replies.inner:
        # Only Exchange wraps replies; the wrapped one is another server's.
        inner = ServerReply(replies.inner, is_exchange_reply(replies.inner.text), host)
        host = None
    # Some of Exchange's wrappers have a meaning only together with the reply inside (5.0.350 x-dg-ref).
    outer = ServerReply(replies.whole, by_exchange or inner is not None, host)
    return decide(catalogue, inner, outer, side)


def _is_by_exchange(fields: RecipientFields, report: Report = _NO_REPORT) -> bool:
    """Tell whether Exchange refused: by its words or its host, by the format where no host is named."""
    host = fields.remote_mta or report.reporting_mta
    if is_exchange_reply(fields.diagnostic_code) or is_microsoft_host(host):
        return True
    return host is None and any(word in report.format for word in ("exchange", "microsoft", "outlook"))


def _judgement(verdict: Verdict | None, side: Side | None, action: Action) -> Judgement:
    if action not in _NOT_DELIVERED:
        why = f"the report says {action}: nothing failed"
        return Judgement(Cause.UNKNOWN, Owner.NOBODY, None, None, why)
    if verdict is None:
        why = "neither the code nor the text is in the catalogue"
        return Judgement(Cause.UNKNOWN, Owner.MAIL_ADMIN, Certainty.NOT_TOLD, None, why)
    if verdict.cause is Cause.UNKNOWN:
        return Judgement(Cause.UNKNOWN, Owner.MAIL_ADMIN, verdict.certainty, verdict.row.name, verdict.why)
    owner = _owner(verdict, side, action)
    return Judgement(verdict.cause, owner, verdict.certainty, verdict.row.name, verdict.why)


def _owner(verdict: Verdict, side: Side | None, action: Action) -> Owner:
    """Return who must act; while a server still tries, sender and remote side can only wait."""
    owner = verdict.row.owner_on(side)
    return Owner.NOBODY if action is Action.DELAYED and owner in _MUST_WAIT else owner
