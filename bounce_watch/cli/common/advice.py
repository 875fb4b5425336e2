"""What to tell a sender: the steps of our own reply, so that the phone and the letter say the same."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from bounce_watch.classify import Explanation
from bounce_watch.config.models import Config
from bounce_watch.model import Action, Bounce
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.facts import OrganisationProfile, ReplyFacts
from bounce_watch.notifications.guidance.notes import Advice
from bounce_watch.pipeline.context import make_composer, read_rules
from bounce_watch.pipeline.replies.facts import about, stored_facts
from bounce_watch.shipped_files import templates
from bounce_watch.store import BounceDetail, StoreQueries

_SOMEBODY = OrganisationProfile(name="your organization", support="your help desk")


def advice_on(config: Config, store: StoreQueries, detail: BounceDetail) -> Advice | None:
    """Return the advice on a stored bounce, None if nothing failed."""
    facts = stored_facts(store, config.site, read_rules(config), datetime.now(UTC), detail)
    if facts is None:
        return None
    shown = detail.bounce.bounce if detail.bounce else facts.bounces[0]
    return make_composer(config).advice(about(facts, shown))


def as_told(explanation: Explanation, config: Config | None) -> Explanation:
    """Return a meaning with the steps that our reply about such a bounce gives to its sender."""
    bounce = Bounce(
        recipient="the recipient",
        sender=None,
        action=Action.FAILED,
        status=explanation.status,
        reply_code=explanation.reply_code,
        cause=explanation.cause,
        persistence=explanation.persistence,
        owner=explanation.owner,
        side=explanation.side,
        entry=explanation.name,
    )
    composer = Composer([templates()], _SOMEBODY) if config is None else make_composer(config)
    advice = composer.advice(ReplyFacts(event_key="", to="", bounces=(bounce,)))
    return replace(explanation, sender_steps=advice.steps)


def advice_json(advice: Advice | None) -> dict[str, Any] | None:
    return None if advice is None else asdict(advice)


def advice_lines(advice: Advice) -> Iterator[str]:
    """Yield the steps, and whether sending again helps."""
    yield from (f"{number}. {step}" for number, step in enumerate(advice.steps, 1))
    yield f"Send again? {advice.again}"
