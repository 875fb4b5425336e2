"""Which alerts go now: one for all that a message opened, and only so many per hour, severity and address."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bounce_watch.model import Severity
from bounce_watch.notifications.facts import AlertKind
from bounce_watch.store.incidents.lifecycle import AlertState

Due = tuple[AlertState, AlertKind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One message to each of `to` about the incidents that are due, the most severe first."""

    to: tuple[str, ...]
    due: tuple[Due, ...]

    @property
    def severity(self) -> Severity:
        return self.due[0][0].incident.finding.severity


def join_opened(due: Iterable[tuple[tuple[str, ...], Due]]) -> list[Alert]:
    """Return one alert for each incident, and for all that one message opened and the same people get."""
    alerts: dict[tuple[tuple[str, ...], str, int], tuple[Due, ...]] = {}
    for to, (state, kind) in due:
        is_new = kind in (AlertKind.OPENED, AlertKind.REOPENED) and state.opened_in is not None
        group = ("message", state.opened_in or 0) if is_new else ("incident", state.incident.number)
        alerts[to, *group] = (*alerts.get((to, *group), ()), (state, kind))
    return [Alert(to=to, due=found) for (to, *_), found in alerts.items()]


class Budget:
    """What may still be sent this hour. Only alerts as severe or more count against an alert.

    `lately` counts the alerts of the last hour by address and severity.
    """

    def __init__(self, per_hour: int, lately: Mapping[tuple[str, str], int]) -> None:
        self._per_hour = per_hour
        self._used = Counter({(to, Severity(severity)): n for (to, severity), n in lately.items()})

    def takes(self, alert: Alert, *, keep: int = 0) -> bool:
        """Tell whether an alert fits, and count it if so. `keep` is how many more must fit after it."""
        used = max(self._count(to, alert.severity) for to in alert.to) if alert.to else 0
        if used >= max(1, self._per_hour - keep):
            return False
        self._used.update((to.lower(), alert.severity) for to in alert.to)
        return True

    def _count(self, to: str, severity: Severity) -> int:
        ranks = (one for one in Severity if one.rank <= severity.rank)
        return sum(self._used[to.lower(), one] for one in ranks)


def within_budget(alerts: Sequence[Alert], budget: Budget) -> tuple[list[Alert], list[Alert]]:
    """Return the alerts that go now and those that wait. They must be in order of severity.

    What does not fit joins the last alert of its severity to the same people, which then lists it.
    """
    now: list[Alert] = []
    waiting: dict[tuple[str, ...], list[Alert]] = {}
    for alert in alerts:
        if alert.to not in waiting and budget.takes(alert):
            now.append(alert)
        else:
            waiting.setdefault(alert.to, []).append(alert)
    for to, rest in list(waiting.items()):
        last = max((place for place, alert in enumerate(now) if alert.to == to), default=None)
        if last is not None and now[last].severity is rest[0].severity:
            joined = (due for alert in (now[last], *rest) for due in alert.due)
            now[last] = replace(now[last], due=tuple(joined))
            del waiting[to]
    return now, [alert for rest in waiting.values() for alert in rest]
