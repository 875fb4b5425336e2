"""Ask DNS whether it proves the cause of a bounce, before the bounce is stored.

A finding adds: it opens an incident earlier and explains it. It never decides who gets a reply.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bounce_watch.classify import assess_evidence, judge
from bounce_watch.dns.questions import Ask, ask_for, is_proven
from bounce_watch.model import Action, Bounce, Reading, Report
from bounce_watch.notifications.guidance.suggestions import find_suggestion
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.dns_proofs import Asked, Found
from bounce_watch.pipeline.replies.facts import find_similar
from bounce_watch.store import Transaction


def look(context: Context, readings: Iterable[Reading], now: datetime) -> Asked:
    """Ask about trusted failures that DNS can prove, within the limits. Only `context.dns` asks.

    It is called before the transaction, because asking takes time.
    """
    if context.dns is None:
        return {}
    asked: dict[Ask, Found] = {}
    for report in readings:
        if not isinstance(report, Report):
            continue
        assessed = assess_evidence(report, context.site)
        if assessed.evidence not in context.site.accepted_evidence:
            continue
        for bounce in judge(report, context.catalogue, context.site, assessed):
            ask = ask_of(context, bounce, report)
            if ask is not None and ask not in asked:
                asked[ask] = context.dns.fresh(context.store, ask, now)
    return asked


def ask_of(context: Context, bounce: Bounce, report: Report) -> Ask | None:
    if context.dns is None or bounce.action is not Action.FAILED:
        return None
    return ask_for(bounce, report.original, context.dns.accepted)


def with_proofs(
    context: Context, tx: Transaction, asked: Asked, bounces: tuple[Bounce, ...], report: Report
) -> tuple[Bounce, ...]:
    """Note at each bounce for what DNS proved its cause. A probable typing error proves nothing."""

    def proven(bounce: Bounce) -> str | None:
        ask = ask_of(context, bounce, report)
        found = asked.get(ask, ()) if ask is not None else ()
        if (
            ask is None
            or not is_proven(found)
            or find_suggestion(bounce, *find_similar(tx, context.site, bounce))
        ):
            return None
        return ask.subject

    return tuple(replace(bounce, proven=proven(bounce)) for bounce in bounces) if asked else bounces
