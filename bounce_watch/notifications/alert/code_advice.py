"""What admins do about a code, from the code's own row of the catalogue."""

from collections.abc import Iterable

from bounce_watch.classify import Catalogue
from bounce_watch.notifications.facts import CodeAdvice

MAX_CODES = 3


def code_advice(catalogue: Catalogue, entries: Iterable[str]) -> tuple[CodeAdvice, ...]:
    """Return the admin steps of the rows with these names that have steps of their own, in this order."""
    rows = {row.name: row for row in catalogue.rows if row.has_own_admin_steps}
    return tuple(
        CodeAdvice(code=name, title=rows[name].title, steps=rows[name].admin_steps, source=rows[name].source)
        for name in entries
        if name in rows
    )[:MAX_CODES]
