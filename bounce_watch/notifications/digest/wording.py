"""The sentences of a digest in one language: its summary, what it covers, does not know and compares with."""

from bounce_watch.model import Digest, Edition, Unread
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.translator import Translator
from bounce_watch.notifications.translatable import N_

_PERIODS = {
    Edition.DAILY: "%(day)s",
    Edition.WEEKLY: N_("the week to %(day)s"),
    Edition.MONTHLY: N_("the month to %(day)s"),
}
_WEEKLY = {
    1: N_("against the week before"),
    2: N_("against the mean of the two weeks before"),
    3: N_("against the mean of the three weeks before"),
    4: N_("against the mean of the four weeks before"),
}
_SAME_WEEKDAY = {
    1: N_("against the same weekday in the week before"),
    2: N_("against the mean of the same weekday in the two weeks before"),
    3: N_("against the mean of the same weekday in the three weeks before"),
    4: N_("against the mean of the same weekday in the four weeks before"),
}
_SAME_DAYS = {
    1: N_("against the same days in the week before"),
    2: N_("against the mean of the same days in the two weeks before"),
    3: N_("against the mean of the same days in the three weeks before"),
    4: N_("against the mean of the same days in the four weeks before"),
}


def period_of(translator: Translator, digest: Digest) -> str:
    """Return the day, or the week or month to it."""
    pattern, day = _PERIODS[digest.edition], translator.day(digest.local_date)
    return day if digest.edition is Edition.DAILY else translator.gettext(pattern, day=day)


def span_of(translator: Translator, digest: Digest) -> str:
    """Return from when to when it counts."""
    zone = digest.time_zone
    since = translator.moment(local_time.local(digest.since, zone))
    until = translator.moment(local_time.local(digest.until, zone))
    return translator.gettext("%(since)s to %(until)s (%(zone)s)", since=since, until=until, zone=zone)


def headline_of(translator: Translator, digest: Digest) -> str:
    """Return the summary of the day in a few words, for the subject and the first line."""
    if digest.is_empty and digest.unread:
        return translator.gettext("the bounce mailbox wasn't read")
    if news := _news(translator, digest):
        bounced = translator.ngettext(
            "%(count)s message bounced", "%(count)s messages bounced", digest.messages.now
        )
        told = translator.gettext("%(news)s, %(bounced)s", news=news, bounced=bounced)
    else:
        told = translator.gettext("no bounces")
    if digest.unread:
        return translator.gettext("%(headline)s, and a mailbox wasn't read", headline=told)
    return told


def _news(translator: Translator, digest: Digest) -> str:
    """Return the most important thing, "" if there is nothing to tell at all."""
    failing = [check for check in digest.health if check.state == "failure"]
    if digest.opened:
        return translator.ngettext("%(count)s new incident", "%(count)s new incidents", len(digest.opened))
    if failing:
        return translator.gettext("a check failed (%(check)s)", check=plain(failing[0].name, 40))
    if digest.still_open:
        return translator.ngettext(
            "%(count)s open incident", "%(count)s open incidents", len(digest.still_open)
        )
    return "" if digest.is_empty else translator.gettext("no incidents")


def unread_of(translator: Translator, unread: Unread, time_zone: str) -> str:
    """Return a sentence about what the digest does not know."""
    name = plain(unread.mailbox, 80)
    if unread.since is None:
        return translator.gettext(
            "Not known: the mailbox %(mailbox)s wasn't read completely yet. What waits there isn't counted.",
            mailbox=name,
        )
    return translator.gettext(
        "Not known: what arrived in the mailbox %(mailbox)s since %(since)s. It wasn't read since.",
        mailbox=name,
        since=translator.moment(local_time.local(unread.since, time_zone)),
    )


def coverage_of(translator: Translator, digest: Digest) -> str:
    """Return a sentence if the digest also covers earlier days without one, else empty."""
    if not digest.missed:
        return ""
    return translator.ngettext(
        "This digest also covers the day before, which had none.",
        "This digest also covers the %(count)s days before, which had none.",
        digest.missed,
    )


def comparison_of(translator: Translator, digest: Digest) -> str:
    """Return what the counts are compared with, empty for nothing."""
    if not digest.weeks:
        return ""
    if digest.edition is Edition.MONTHLY:
        return translator.gettext("against the time of the same length before")
    if digest.edition is Edition.WEEKLY:
        return translator.gettext(_WEEKLY[digest.weeks])
    return translator.gettext((_SAME_DAYS if digest.missed else _SAME_WEEKDAY)[digest.weeks])
