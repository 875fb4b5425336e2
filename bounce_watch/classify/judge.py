"""Turn a report into bounces: one for each recipient, with cause, owner, side, persistence and evidence.

Whether the same mail could still succeed (RFC 3464 section 2.3.3, RFC 3463 section 2)."""

from typing import NamedTuple

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.cause import Spoken, Verdict, decide
from bounce_watch.classify.evidence import Weighed, weigh
from bounce_watch.classify.refusal_details import find_details
from bounce_watch.classify.replies import Said, listen
from bounce_watch.classify.side import is_microsoft_host, side_of, speaks_exchange
from bounce_watch.classify.smtp_reply import read_reply
from bounce_watch.model import (
    Action,
    Bounce,
    Cause,
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

_CLASSES = {"4": Persistence.TEMPORARY, "5": Persistence.PERMANENT}


def persistence_of(action: Action | None, reply_code: str | None, status: str | None) -> Persistence:
    """Return the persistence of one recipient's fate; unknown rather than a guess.

    Action decides, then the basic reply code, then the class of the status. A 4.x.x with
    `Action: failed` is final: `550 4.4.7 QUEUE.Expired` means that the server gave up.
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


# A complaint is about a mail that arrived.
_ACTIONS = {
    Kind.DELAY: Action.DELAYED,
    Kind.SUCCESS: Action.DELIVERED,
    Kind.FEEDBACK: Action.DELIVERED,
}
_WAITING = {Owner.SENDER, Owner.RECIPIENT_ADMIN, Owner.PROVIDER}


class _Finding(NamedTuple):
    """What was decided about one recipient."""

    cause: Cause
    owner: Owner
    persistence: Persistence
    entry: str | None
    why: str


def judge(
    report: Report, catalogue: Catalogue, site: Site | None, weighed: Weighed | None = None
) -> tuple[Bounce, ...]:
    """Return one bounce for each recipient entry that has an address, whatever its action.

    Without a site the evidence is None and the side is read from the report alone. `weighed` is what `weigh`
    said of the report, None to ask it. Never raises.
    """
    weighed = weighed or (weigh(report, site) if site else None)
    evidence = weighed.evidence if weighed else None
    named = (fields for fields in report.recipients if fields.final_recipient or fields.original_recipient)
    return tuple(_bounce(report, fields, catalogue, site, evidence) for fields in named)


def _bounce(
    report: Report,
    fields: RecipientFields,
    catalogue: Catalogue,
    site: Site | None,
    evidence: Evidence | None,
) -> Bounce:
    recipient = fields.final_recipient or fields.original_recipient or ""
    original = fields.original_recipient
    action = fields.action or _ACTIONS.get(report.kind, Action.FAILED)
    side = side_of(report, fields, site)
    said = listen(fields)
    found = _find(report, said, catalogue, side, action)
    return Bounce(
        recipient=normalise(recipient),
        original_recipient=normalise(original) if original else None,
        recipient_decoded=decode_imceaex(recipient),
        sender=normalise(report.original.sender) if report.original.sender else None,
        action=action,
        status=fields.status or said.outer.status,
        reply_code=fields.reply_code or said.outer.reply_code,
        cause=found.cause,
        persistence=found.persistence,
        owner=found.owner,
        side=side,
        evidence=evidence,
        remote_mta=fields.remote_mta,
        diagnostic_code=fields.diagnostic_code,
        remote_status=said.inner.status if said.inner else None,
        remote_reply_code=said.inner.reply_code if said.inner else None,
        entry=found.entry,
        why=found.why,
        occurred_at=report.arrival_date or report.date or report.original.date,
        details=find_details(fields.diagnostic_code, found.cause, fields.will_retry_until),
    )


def _find(
    report: Report,
    said: Said,
    catalogue: Catalogue,
    side: Side | None,
    action: Action,
) -> _Finding:
    stated = said.fields.action or _ACTIONS.get(report.kind)
    persistence = persistence_of(stated, said.outer.reply_code, said.outer.status)
    if action in (Action.DELIVERED, Action.RELAYED, Action.EXPANDED):
        return _Finding(
            cause=Cause.UNKNOWN,
            owner=Owner.NOBODY,
            persistence=persistence,
            entry=None,
            why=f"the report says {action}: nothing failed",
        )
    verdict = _decide(report, said, catalogue, side)
    if verdict is None:
        return _Finding(
            cause=Cause.UNKNOWN,
            owner=Owner.MAIL_ADMIN,
            persistence=persistence,
            entry=None,
            why="neither the code nor the text is in the catalogue",
        )
    return _Finding(
        cause=verdict.row.cause,
        owner=_owner(verdict, side, action),
        persistence=persistence,
        entry=verdict.row.name,
        why=verdict.why,
    )


def _decide(report: Report, said: Said, catalogue: Catalogue, side: Side | None) -> Verdict | None:
    fields = said.fields
    speaker = fields.remote_mta or report.reporting_mta
    exchange = speaks_exchange(said.text) or is_microsoft_host(speaker) or _is_exchange(report, fields)
    inner = None
    if said.inner:
        # Only Exchange wraps; what it wraps was spoken by somebody else.
        words = said.inner_text or said.text
        reply = read_reply(words, fields.remote_status, fields.remote_reply_code)
        inner = Spoken(reply=reply, microsoft=speaks_exchange(said.inner_text))
        exchange = True
    # Some of Exchange's wrappers have a meaning only together with the reply inside (5.0.350 x-dg-ref).
    return decide(catalogue, inner, Spoken(reply=said.whole, microsoft=exchange), side)


def _is_exchange(report: Report, fields: RecipientFields) -> bool:
    """Tell whether Exchange itself refused, judged by the report's format when no host is named."""
    named = fields.remote_mta or report.reporting_mta
    return named is None and any(
        word in report.format.lower() for word in ("exchange", "microsoft", "outlook")
    )


def _owner(verdict: Verdict, side: Side | None, action: Action) -> Owner:
    """Return who must act; while a server still tries, sender and remote side can only wait."""
    owner = verdict.row.owner_on(side)
    return Owner.NOBODY if action is Action.DELAYED and owner in _WAITING else owner
