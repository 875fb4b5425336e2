"""The digest: incidents first, then owners, counts, replies, and the state of the service."""

from collections.abc import Mapping, Sequence

from bounce_watch.classify import Catalogue
from bounce_watch.model import (
    Count,
    Digest,
    Edition,
    Health,
    Letter,
    LetterKind,
    Unread,
)
from bounce_watch.notifications.alert.code_advice import code_advice
from bounce_watch.notifications.alert.letter import TONES
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.digest.incidents import asides, by_severity, counted, groups
from bounce_watch.notifications.facts import OrganisationProfile
from bounce_watch.notifications.habits import habit_of_the_week, shipped_habits
from bounce_watch.notifications.rendering import charts, local_time
from bounce_watch.notifications.rendering.labels import label_of
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.templates import Templates, Value, write_letter

_FOOTER = "Written by bounce_watch once a day. More: bounce-watch top, bounce-watch incidents"
_PERIODS = {
    Edition.DAILY: "{day}",
    Edition.WEEKLY: "the week to {day}",
    Edition.MONTHLY: "the month to {day}",
}


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
    period = _PERIODS[digest.edition].format(day=local_time.day_name(digest.local_date))
    headline = headline_of(digest)
    values: dict[str, Value] = {
        "language": "en",
        "organisation": plain(organisation.name, 80),
        "subject": plain(f"Mail delivery, {period}: {headline}", 200),
        "footer": _FOOTER,
        "day": period,
        "span": f"{local_time.short(digest.since, digest.time_zone)} to "
        f"{local_time.short(digest.until, digest.time_zone)} ({digest.time_zone})",
        "headline": headline,
        "tone": _tone(digest),
        "empty": digest.is_empty,
        "unverified": digest.unverified,
        "tiles": [
            _tile("Came back", digest.messages),
            _tile("Recipients", digest.bounces),
            _tile("Delayed", digest.delays),
            _tile("Answered", Count(label="", now=digest.replies_sent)),
        ],
        "covers": _covers(digest),
        "unread": [_unread(one, digest.time_zone) for one in digest.unread],
        "comparison": comparison_of(digest),
        "groups": groups(organisation, playbooks, digest),
        "asides": [line for line in asides(digest) if line],
        "advice": code_advice(catalogue, (count.label for count in digest.entries)),
        "habit": _habit(digest),
        "charts": _charts(digest),
        "replies": _pairs([("Sent", digest.replies_sent), ("Held until released", digest.replies_held)]),
        "withheld": _pairs([(plain(label_of(count.label), 60), count.now) for count in digest.withheld]),
        "mail": _pairs(
            [
                ("No reports, left where they are", digest.left_alone),
                ("Copies of known reports", digest.duplicates),
                ("Unreadable, in quarantine", digest.quarantined),
                ("Not proved to be ours, not counted", digest.unverified),
            ]
        ),
        "health": [_check(check) for check in digest.health],
        "failing": [_check(check) for check in digest.health if check.state != "ok"],
        "failed": [_check(check) for check in digest.health if check.state == "failure"],
    }
    return write_letter(templates, "digest/digest", values, LetterKind.DIGEST, event_key=event_key, to=to)


def _unread(unread: Unread, time_zone: str) -> str:
    """Return a sentence about what the digest does not know."""
    name = plain(unread.mailbox, 80)
    if unread.since is None:
        return f"Not known: the mailbox {name} was not read completely yet. What waits there isn't counted."
    since = local_time.short(unread.since, time_zone)
    return f"Not known: what arrived in the mailbox {name} since {since}. It was not read since."


def _habit(digest: Digest) -> dict[str, Value]:
    """Return the habit of the week for a template, empty on other days."""
    habit = habit_of_the_week(shipped_habits(), digest)
    return {"text": habit.text, "where": habit.where, "source": habit.source} if habit else {}


def _covers(digest: Digest) -> str:
    """Return a sentence if the digest also covers earlier days without one, else empty."""
    if not digest.missed:
        return ""
    days = "1 day" if digest.missed == 1 else f"{digest.missed} days"
    return f"This digest covers {digest.missed + 1} days: none was made on the {days} before."


def comparison_of(digest: Digest) -> str:
    """Return what the counts are compared with, empty for nothing."""
    if not digest.weeks:
        return ""
    if digest.edition is Edition.MONTHLY:
        return "against the time of the same length before"
    weeks = {1: "week", 2: "two weeks", 3: "three weeks", 4: "four weeks"}[digest.weeks]
    if digest.edition is Edition.WEEKLY:
        return f"against the mean of the {weeks} before" if digest.weeks > 1 else "against the week before"
    same = "the same days" if digest.missed else "the same weekday"
    return (
        f"against the mean of {same} in the {weeks} before"
        if digest.weeks > 1
        else f"against {same} in the week before"
    )


def _check(check: Health) -> dict[str, Value]:
    state = check.state if check.state in ("ok", "warning", "failure") else "failure"
    return {"name": plain(check.name, 40), "state": state, "text": plain(check.text, 160)}


def headline_of(digest: Digest) -> str:
    """Return the summary of the day in a few words, for the subject and the first line."""
    failing = [check for check in digest.health if check.state == "failure"]
    if digest.is_empty and digest.unread:
        return "the bounce mailbox was not read"
    if digest.opened:
        news = counted(len(digest.opened), "new problem")
    elif failing:
        news = f"a check failed ({plain(failing[0].name, 40)})"
    elif digest.still_open:
        news = counted(len(digest.still_open), "open problem")
    elif digest.is_empty:
        time = {Edition.DAILY: "day", Edition.WEEKLY: "week", Edition.MONTHLY: "month"}[digest.edition]
        return f"a quiet {time}, no mail came back"
    else:
        news = "no problems"
    unread = ", and a mailbox was not read" if digest.unread else ""
    return f"{news}, {counted(digest.messages.now, 'mail')} came back{unread}"


def _tone(digest: Digest) -> str:
    """Return the color of the band: that of the most severe unresolved incident."""
    open_now = by_severity([*digest.opened, *digest.still_open])
    if open_now:
        return TONES.get(open_now[0].finding.severity, "")
    return "high" if any(check.state == "failure" for check in digest.health) else "good"


def _tile(label: str, count: Count) -> dict[str, Value]:
    return {"label": label, "now": count.now, "change": charts.change(count)}


def _charts(digest: Digest) -> list[dict[str, Value]]:
    charted = (
        ("Who must act", digest.owners, True),
        ("Other causes" if digest.explained else "Top causes", _unexplained(digest), True),
        ("Top senders", digest.senders, False),
        ("Top recipient domains", digest.domains, False),
    )
    return [
        {"title": title, "rows": charts.bars(counts, known), "lines": charts.text_rows(counts, known)}
        for title, counts, known in charted
        if counts
    ]


def _unexplained(digest: Digest) -> tuple[Count, ...]:
    """Return the causes that no listed incident tells already."""
    return tuple(count for count in digest.causes if count.label not in digest.explained)


def _pairs(pairs: Sequence[tuple[str, int]]) -> dict[str, Value]:
    return {
        "rows": [{"label": label, "now": number} for label, number in pairs],
        "lines": charts.text_pairs(pairs),
    }
