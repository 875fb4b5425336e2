"""The digest: incidents first, then owners, counts, replies, and the state of the service."""

from collections.abc import Mapping, Sequence

from bounce_watch.classify import Catalogue
from bounce_watch.model import Count, Digest, Health, Letter, LetterKind
from bounce_watch.model.letter_outcome import OutcomeCount
from bounce_watch.notifications.alert.code_advice import code_advice
from bounce_watch.notifications.alert.dns import changes_of
from bounce_watch.notifications.alert.letter import TONES
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.digest.incidents import asides, by_severity, groups
from bounce_watch.notifications.digest.wording import (
    comparison_of,
    coverage_of,
    headline_of,
    period_of,
    span_of,
    unread_of,
)
from bounce_watch.notifications.facts import OrganisationProfile
from bounce_watch.notifications.habits import habit_of_the_week, shipped_habits
from bounce_watch.notifications.rendering import charts
from bounce_watch.notifications.rendering.labels import label_of
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter
from bounce_watch.notifications.rendering.translator import Translator
from bounce_watch.notifications.translatable import N_

_STATES = {"ok": N_("ok"), "warning": N_("warning"), "failure": N_("failure")}


def digest_letter(
    templates: Templates,
    organisation: OrganisationProfile,
    playbooks: Mapping[str, Playbook],
    digest: Digest,
    *,
    event_key: str,
    to: str,
    catalogue: Catalogue | None = None,
) -> Letter:
    """Compose the digest for one admin. Raises TemplateFault."""

    def write(translator: Translator) -> Letter:
        values = {
            **_head(translator, organisation, digest),
            **_body(translator, digest),
            "groups": groups(translator, organisation, playbooks, digest),
            "changes": changes_of(translator, organisation.time_zone, digest.records),
            "advice": code_advice(catalogue, (count.label for count in digest.entries), translator),
        }
        return write_letter(templates, "digest/digest", values, LetterKind.DIGEST, event_key=event_key, to=to)

    return templates.in_best_language((organisation.language,), write)


def _head(translator: Translator, organisation: OrganisationProfile, digest: Digest) -> dict[str, Value]:
    say = translator.gettext
    period, headline = period_of(translator, digest), headline_of(translator, digest)
    more = say("More: %(commands)s", commands="bounce-watch top, bounce-watch incidents")
    written = say("Written by bounce_watch once a day.")
    return {
        "language": translator.language,
        "colon": translator.colon,
        "organisation": plain(organisation.name, 80),
        "subject": plain(say("Bounce digest, %(period)s: %(news)s", period=period, news=headline), 200),
        "footer": f"{written} {more}",
        "day": period,
        "span": span_of(translator, digest),
        "headline": headline,
        "tone": _tone(digest),
        "empty": digest.is_empty,
        "unverified": digest.unverified,
        "covers": coverage_of(translator, digest),
        "unread": [unread_of(translator, one, digest.time_zone) for one in digest.unread],
        "comparison": comparison_of(translator, digest),
    }


def _body(translator: Translator, digest: Digest) -> dict[str, Value]:
    say = translator.gettext
    health = [_check(translator, check) for check in digest.health]
    return {
        "tiles": [
            _tile(say("Messages bounced"), digest.messages),
            _tile(say("Recipients"), digest.bounces),
            _tile(say("Delayed"), digest.delays),
            _tile(say("Replies sent"), Count(label="", now=digest.replies_sent)),
        ],
        "asides": [line for line in asides(translator, digest) if line],
        "habit": _habit(translator, digest),
        "charts": _charts(translator, digest),
        "replies": _pairs(
            [(say("Sent"), digest.replies_sent), (say("Held for review"), digest.replies_held)]
        ),
        "withheld": _pairs(
            [(plain(label_of(count.label, translator), 60), count.now) for count in digest.withheld]
        ),
        "unhelpful": [_unhelpful(translator, one) for one in digest.unhelpful],
        "mail": _pairs(
            [
                (say("No reports, left where they are"), digest.left_alone),
                (say("Copies of known reports"), digest.duplicates),
                (say("Unreadable, in quarantine"), digest.quarantined),
                (say("Not verified as ours, not counted"), digest.unverified),
            ]
        ),
        "health": health,
        "failing": [check for check in health if check["state"] != "ok"],
        "failed": [check for check in health if check["state"] == "failure"],
    }


def _unhelpful(translator: Translator, count: OutcomeCount) -> str:
    low, high = count.interval or (0.0, 1.0)
    return translator.gettext(
        "%(cause)s: %(count)s of %(all)s (95%% interval: %(low)s%% to %(high)s%%)",
        cause=plain(label_of(count.label, translator), 60),
        count=count.not_helped,
        all=count.decided,
        low=round(100 * low),
        high=round(100 * high),
    )


def _habit(translator: Translator, digest: Digest) -> dict[str, Value]:
    """Return the habit of the week for a template, empty on other days."""
    habit = habit_of_the_week(shipped_habits(), digest)
    return (
        {"text": translator.if_known(habit.text), "where": habit.where, "source": habit.source}
        if habit
        else {}
    )


def _check(translator: Translator, check: Health) -> dict[str, Value]:
    state = check.state if check.state in ("ok", "warning", "failure") else "failure"
    return {
        "name": plain(check.name, 40),
        "state": state,
        "label": translator.gettext(_STATES[state]),
        "text": plain(check.text, 160),
    }


def _tone(digest: Digest) -> str:
    """Return the color of the band: that of the most severe unresolved incident."""
    open_now = by_severity([*digest.opened, *digest.still_open])
    if open_now:
        return TONES.get(open_now[0].finding.severity, "")
    return "high" if any(check.state == "failure" for check in digest.health) else "good"


def _tile(label: str, count: Count) -> dict[str, Value]:
    return {"label": label, "now": count.now, "change": charts.change(count)}


def _charts(translator: Translator, digest: Digest) -> list[dict[str, Value]]:
    causes = N_("Other causes") if digest.explained else N_("Top causes")
    charted = (
        (translator.gettext("Owners"), digest.owners, translator),
        (translator.gettext(causes), _unexplained(digest), translator),
        (translator.gettext("Top senders"), digest.senders, None),
        (translator.gettext("Top recipient domains"), digest.domains, None),
        (translator.gettext("Dead addresses with the most bounces"), _dead(translator, digest), None),
    )
    return [
        {"title": title, "rows": charts.bars(counts, labels), "lines": charts.text_rows(counts, labels)}
        for title, counts, labels in charted
        if counts
    ]


def _dead(translator: Translator, digest: Digest) -> tuple[Count, ...]:
    return tuple(
        Count(label=f"{plain(one.address, 60)}: {label_of(one.cause, translator)}", now=one.messages)
        for one in digest.dead
    )


def _unexplained(digest: Digest) -> tuple[Count, ...]:
    """Return the causes that no listed incident tells already."""
    return tuple(count for count in digest.causes if count.label not in digest.explained)


def _pairs(pairs: Sequence[tuple[str, int]]) -> dict[str, Value]:
    return {
        "rows": [{"label": label, "now": number} for label, number in pairs],
        "lines": charts.text_pairs(pairs),
    }
