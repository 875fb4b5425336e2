"""What admins do about a code, from the code's own row of the catalogue."""

from collections.abc import Iterable

from bounce_watch.classify import Catalogue
from bounce_watch.notifications.rendering.templates import Value
from bounce_watch.notifications.rendering.translator import Translator

MAX_CODES = 3


def code_advice(catalogue: Catalogue | None, entries: Iterable[str], translator: Translator) -> list[Value]:
    """Return what templates show of the rows with these names that have admin steps of their own."""
    rows = {row.name: row for row in catalogue.rows if row.has_own_admin_steps} if catalogue else {}
    found = [rows[name] for name in entries if name in rows][:MAX_CODES]
    return [
        {
            "code": row.name,
            "title": translator.if_known(row.title),
            "steps": list(map(translator.if_known, row.admin_steps)),
            "source": row.source,
        }
        for row in found
    ]
